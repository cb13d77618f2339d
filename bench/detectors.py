"""Compare face detectors: how many faces each finds, how fast, and how well it finds the eyes.

    python -m pip install dlib-bin==20.0.1.post1 mtcnn==1.0.0
    python -m pip download --no-deps --no-binary :all: face-recognition-models==0.3.0
    python bench/detectors.py ORL_FOLDER YALE_FOLDER LANDMARKS.dat

Needs the assets `headmodel` and `face_detector`. The two folders hold photographs (any layout, any
format); LANDMARKS.dat is `shape_predictor_5_face_landmarks.dat` of the package downloaded above.
Rendered portraits, whose eyes are known, are made here. Prints a Markdown table; OpenCV and dlib
keep to one core. A candidate whose package is not installed is left out.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

import numpy as np

from facestages.errors import FacestagesError
from facestages.expressions import EXPRESSIONS
from facestages.stimuli.detection import FaceFinder
from facestages.stimuli.pictures import read_picture
from facestages.stimuli.quiet_cv2 import cv2
from facestages.stimuli.render.designs import render_portrait
from facestages.stimuli.render.head_model import load_head

ASSETS = Path(__file__).parents[1] / "resources" / "assets"
PORTRAITS = 210

#: From an RGB picture to the eyes of each face, first the most certain face: (2, 2) each.
Detector = Callable[[np.ndarray], list[np.ndarray]]


def mediapipe() -> Detector:
    finder = FaceFinder(ASSETS / "face_detector")
    return lambda picture: [face.eyes for face in finder.find(picture)]


def blazeface_alone() -> Detector:
    finder = FaceFinder(ASSETS / "face_detector")
    return lambda picture: [eyes for _, _, _, eyes in finder._detect(picture, 0.0)]


def dlib_hog(landmarks: str) -> Detector:
    import dlib

    find, lay = dlib.get_frontal_face_detector(), dlib.shape_predictor(landmarks)

    def detect(picture: np.ndarray) -> list[np.ndarray]:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        # It detects faces of 80 pixels and more.
        boxes, scores, _ = find.run(grey, 1 if max(grey.shape) < 400 else 0, 0.0)
        order = np.argsort(scores)[::-1]
        shapes = [lay(grey, boxes[int(i)]) for i in order]
        points = [np.array([[p.x, p.y] for p in shape.parts()]) for shape in shapes]
        return [np.array([marks[2:4].mean(axis=0), marks[0:2].mean(axis=0)]) for marks in points]

    return detect


def mtcnn() -> Detector:
    from mtcnn import MTCNN

    network = MTCNN()

    def detect(picture: np.ndarray) -> list[np.ndarray]:
        faces = sorted(network.detect_faces(picture), key=lambda face: -face["confidence"])
        return [np.array([f["keypoints"]["left_eye"], f["keypoints"]["right_eye"]]) for f in faces]

    return detect


def photographs(folder: str) -> list[np.ndarray]:
    pictures = []
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file():
            try:
                pictures.append(read_picture(path))
            except FacestagesError:
                print(f"passed over: {path.name}", file=sys.stderr)
    return pictures


def portraits() -> tuple[list[np.ndarray], list[np.ndarray]]:
    head = load_head(ASSETS / "headmodel")
    made = [
        render_portrait(
            head, sex=("female", "male")[n % 2], seed=n, expression=EXPRESSIONS[n % 7], zoom=0.7
        )
        for n in range(PORTRAITS)
    ]
    return [np.repeat(picture[..., None], 3, axis=2) for picture, _ in made], [e for _, e in made]


def eye_errors(found: list[list[np.ndarray]], truth: list[np.ndarray]) -> np.ndarray:
    """Mean distance of the two eyes from the truth, in units of the eye distance."""
    errors = []
    for faces, eyes in zip(found, truth, strict=True):
        if faces:
            off = np.linalg.norm(faces[0][np.argsort(faces[0][:, 0])] - eyes, axis=1).mean()
            errors.append(off / np.linalg.norm(eyes[1] - eyes[0]))
    return np.array(errors)


def main(orl: str, yale: str, landmarks: str) -> None:
    drawn, truth = portraits()
    sets = {"ORL": photographs(orl), "Yale": photographs(yale), "rendered": drawn}
    candidates = {
        "BlazeFace + mesh + iris": mediapipe,
        "BlazeFace alone": blazeface_alone,
        "dlib HOG + 5 points": lambda: dlib_hog(landmarks),
        "MTCNN": mtcnn,
    }
    print("| detector | set | n | found | just one | ms a picture | eye error: median, 95 % |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for name, make in candidates.items():
        try:
            detect = make()
        except ImportError as error:
            print(f"passed over: {name} ({error})", file=sys.stderr)
            continue
        for which, pictures in sets.items():
            detect(pictures[0])
            begin = time.perf_counter()
            found = [detect(picture) for picture in pictures]
            each = 1000 * (time.perf_counter() - begin) / len(pictures)
            n = [len(faces) for faces in found]
            cells = [name, which, len(n), f"{100 * np.mean([k > 0 for k in n]):.1f} %"]
            cells += [f"{100 * np.mean([k == 1 for k in n]):.1f} %", f"{each:.1f}"]
            error = eye_errors(found, truth) if which == "rendered" else np.array([])
            cells.append(
                f"{100 * np.median(error):.1f} %, {100 * np.quantile(error, 0.95):.1f} %"
                if len(error)
                else ""
            )
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
