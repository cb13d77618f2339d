"""FER2013, KDEF and DISFA, as their owners hand them out, through to Figure 4.

The files are small copies in the official formats, drawn with rendered faces.
"""

import csv
import json

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from sklearn.metrics import cohen_kappa_score

from disfa_files import video_path, write_disfa
from face_sets import ASSETS, rendered_portraits, write_fer2013_csv, write_kdef
from facestages.expressions import EXPRESSIONS
from facestages.stimuli import read_stimuli
from facestages.stimuli.render.head_model import load_head
from workflow_runner import REPOSITORY, link_downloads, run_snakemake

FRAMES, CHOSEN = 60, 15
SIZE = (320, 240)
PEOPLE = {"SN001": FRAMES, "SN002": FRAMES, "SN005": FRAMES}
# What the people of the videos show, a third of the time each.
ACTS = ("neutral", "happy", "surprise")
CODED = {"neutral": {}, "happy": {6: 3, 12: 4}, "surprise": {1: 3, 2: 3, 5: 2, 26: 4}}
JOBS = (
    "prepare_stimuli",
    "prepare_labels",
    "extract_frames",
    "report_stimuli",
    "predict_expressions",
)


def act(frame: int) -> str:
    return ACTS[(frame - 1) * len(ACTS) // FRAMES]


def intensity(subject: str, frame: int, unit: int) -> int:
    return CODED[act(frame)].get(unit, 0)


class Videos:
    """Draws the people of DISFA."""

    def __init__(self, portrait) -> None:
        self.portrait, self.drawn = portrait, {}

    def __call__(self, subject: str, frame: int) -> np.ndarray:
        key = subject, act(frame)
        if key not in self.drawn:
            person = f"{'MF'[int(subject[2:]) % 2]}{int(subject[2:]) + 40:02d}"
            square = self.portrait(person, key[1], "A", SIZE[1])[0]
            wide = np.pad(square, ((0, 0), ((SIZE[0] - SIZE[1]) // 2,) * 2), mode="edge")
            self.drawn[key] = wide
        return self.drawn[key]


@pytest.fixture(scope="module")
def videos():
    return Videos(rendered_portraits(load_head(ASSETS / "headmodel")))


@pytest.fixture(scope="module")
def run(tmp_path_factory, videos):
    """A folder in which everything was made once: its config and how to run it again."""
    folder = tmp_path_factory.mktemp("licensed")
    link_downloads(folder)
    data = folder / 'it\'s my "data"'
    write_kdef(data / "KDEF", videos.portrait, ("F01", "M01", "M02"), black="AF01SUS")
    write_disfa(
        data / "DISFA", PEOPLE, size=SIZE, draw=videos,
        intensities=intensity,
    )  # fmt: skip
    (data / "people.csv").write_text("subject,sex\nSN001,f\nSN002,m\nSN003,f\nSN005,f\n")
    small = Image.fromarray(videos("SN001", 1)[:, 40:280]).resize((48, 48))
    pictures = (
        np.repeat(np.asarray(small)[None], 14, axis=0)
        + np.arange(14, dtype=np.uint8)[:, None, None]
    )
    usages = ["Training"] * 10 + ["PublicTest"] * 2 + ["PrivateTest"] * 2
    write_fer2013_csv(data / "fer2013.csv", pictures, list(EXPRESSIONS) * 2, usages)
    with open(data / "norms.csv", "w", newline="") as stream:
        csv.writer(stream).writerows(
            [["picture", "valence", "arousal"], ["AF01HAS.JPG", 8.1, 6], ["AM02SAS.JPG", 2, 4]]
        )
    (data / "OASIS.csv").write_text(oasis())
    tiny = yaml.safe_load((REPOSITORY / "tests/workflow/tiny.yaml").read_text())
    crop = {"failures": "drop"}
    disfa = {
        "source": "disfa", "path": str(data / "DISFA"), "size": 64, "crop": crop,
        "subject_list": str(data / "people.csv"), "frames_per_person": CHOSEN, "min_distance": 2,
    }  # fmt: skip
    config = {
        "datasets": {
            "fer2013": {"source": "fer2013", "path": str(data / "fer2013.csv")},
            "kdef": {
                "source": "kdef", "path": str(data / "KDEF"), "size": 96, "color": "grey",
                "crop": crop | {"histogram": "match", "mask": "oval"},
                "norms": str(data / "norms.csv"),
            },
            "disfa": disfa | {"predicted_by": ["mini_xception"]},
            "women": disfa | {"subjects": "women", "expression_from": "mini_xception"},
            "orl": {"source": "orl"},
        },
        "networks": {name: tiny["networks"][name] for name in ("mini_xception", "pixels")},
        "ratings": {"oasis": {"source": "oasis", "path": str(data / "OASIS.csv")}},
        "analysis": {"components": [2, "all"], "permutations": 10},
        "figures": {
            "fig4": {
                "datasets": ["disfa", "kdef", "women"], "networks": ["mini_xception", "pixels"],
                "components": 2,
            }
        },
    }  # fmt: skip

    def again(target="all", *options, config=config):
        return run_snakemake(folder, config, target, *options)

    result = again()
    assert result.returncode == 0, result.stderr
    return folder, data, config, again


def oasis() -> str:
    """A table with the columns and the line ends of OASIS."""
    kinds = ("Valence", "Arousal")
    header = ["", "Theme", "Category", "Source"]
    header += [f"{kind}_{what}" for kind in kinds for what in ("mean", "SD", "N")]
    rows = [[f"I{n}", f"Thing {n}", "Object", "web", 4.5, 1, 100, 3, 1, 100] for n in range(900)]
    return "\r".join(",".join(map(str, row)) for row in [header, *rows]) + "\r"


def report(folder, dataset) -> dict:
    return json.loads((folder / f"results/stimuli/{dataset}.report.json").read_text())


def planned(again, **options) -> dict[str, int]:
    from workflow_runner import jobs

    made = jobs(again("all", "--dry-run", **options))
    return {rule: made[rule] for rule in JOBS if rule in made}


def test_figure_and_reports_are_there(run):
    folder, *_ = run
    assert (folder / "results/figures/fig4.pdf").is_file()
    for dataset in ("fer2013", "kdef", "disfa", "women", "orl"):
        sheet = Image.open(folder / f"results/stimuli/{dataset}.sheet.png")
        assert sheet.width > 1000
        assert (folder / f"results/stimuli/{dataset}.report.md").read_text().startswith("# ")
    assert report(folder, "orl")["n"] == 400 and report(folder, "orl")["people"] == 40
    assert len(pd.read_csv(folder / "results/ratings/oasis.csv")) == 900


def test_kdef_is_counted_and_its_black_picture_is_listed(run):
    folder, *_ = run
    found = report(folder, "kdef")
    assert (found["n"], found["people"]) == (3 * 7 * 2 - 1, 3)
    assert found["counts"]["A"]["M01"] == dict.fromkeys(sorted(EXPRESSIONS), 1)
    assert "surprise" not in found["counts"]["A"]["F01"]
    assert found["irregular"] == [
        {
            "file": "AF01/AF01SUS.JPG",
            "reason": "black (mean intensity 0.0 of 255)",
            "outcome": "left out",
        }
    ]
    assert found["label_sources"]["expression"] == "posed"
    assert found["source"]["mended"] == {"AF31/AF31V.JPG": "AF31SAHL", "AM31/AM31H.JPG": "AM31SUHR"}


def test_norms_are_joined_and_luminance_is_equal(run):
    folder, *_ = run
    faces = read_stimuli(folder / "results/stimuli/kdef.h5")
    rated = faces.labels.set_index("stimulus_id")["valence"].dropna()
    assert dict(rated) == {"AF01HAS": 8.1, "AM02SAS": 2.0} and faces.sources["valence"] == "human"
    assert report(folder, "kdef")["source"]["norms"]["n_matched"] == 2
    inside = faces.images[0] != 128
    levels = {tuple(np.bincount(np.sort(image.ravel()), minlength=256)) for image in faces.images}
    assert len(levels) == 1 and 0.5 < inside.mean() < 0.65


def test_frames_have_the_labels_of_their_action_units(run):
    folder, *_ = run
    faces = read_stimuli(folder / "results/stimuli/disfa.h5")
    assert faces.images.shape == (3 * CHOSEN, 64, 64, 3)
    assert list(faces.labels["expression"]) == [act(frame) for frame in faces.labels["frame"]]
    assert faces.sources["expression"] == "au-rule-v1" and faces.sources["au_12"] == "human"
    assert set(faces.labels.groupby("identity")["sex"].first()) == {"female", "male"}
    subjects = report(folder, "disfa")["source"]["subjects"]
    assert subjects["SN002"]["frames_in_video"] == subjects["SN002"]["label_lines"] == FRAMES


def test_agreement_with_a_network_is_reported(run):
    folder, *_ = run
    agreement = report(folder, "disfa")["agreement"]["mini_xception"]
    own = read_stimuli(folder / "results/stimuli/disfa.h5").labels["expression"]
    predicted = pd.read_csv(folder / "results/predictions/disfa/mini_xception/seed-0.csv")
    kappa = cohen_kappa_score(own, predicted["expression"])
    assert agreement["n"] == 3 * CHOSEN and agreement["kappa"] == pytest.approx(kappa)
    text = (folder / "results/stimuli/disfa.report.md").read_text()
    assert f"Cohen's kappa {agreement['kappa']:.3f}" in text and "network:mini_xception" in text


def test_labels_of_a_network_are_marked_and_circular_for_itself(run):
    folder, *_ = run
    scores = {
        network: pd.read_csv(
            folder / f"results/separability/women/{network}/seed-0.csv", keep_default_na=False
        ).query("label == 'expression'")
        for network in ("mini_xception", "pixels")
    }
    for network, table in scores.items():
        assert set(table["label_source"]) == {"network:mini_xception"}
        circular = table["note"].str.startswith("CIRCULAR")
        assert circular.all() if network == "mini_xception" else not circular.any()
    caption = (folder / "results/figures/fig4.rst").read_text().replace("\\", "")
    assert "network:mini_xception" in caption and "CIRCULAR" in caption
    assert "CIRCULAR" in (folder / "results/figures/fig4.svg").read_text()


def test_a_network_gives_valence_and_arousal(run):
    """EmoFAN's part in Study 4, played by a narrow one that never learnt anything."""
    folder, _, config, again = run
    emofan = {"label": "Narrow EmoFAN", "architecture": "emofan", "width": 8} | {
        "weights": "untrained",
        "stages": {"penultimate": "emo_fc_2.2", "final": "emo_fc_2.3"},
    }
    study = {"dataset": "kdef", "networks": ["mini_xception", "emofan"], "reference": "emofan"}
    figures = config["figures"] | {
        "fig5": study | {"ratings": "oasis"},
        "fig6": study,
        # Its own answers are the labels of this set.
        "fig7": {"dataset": "women", "networks": ["mini_xception"]},
    }
    config = config | {"networks": config["networks"] | {"emofan": emofan}, "figures": figures}
    for number in (5, 6, 7):
        result = again(f"results/figures/fig{number}.pdf", config=config)
        assert result.returncode == 0, result.stderr
    captions = {n: (folder / f"results/figures/fig{n}.rst").read_text() for n in (5, 6, 7)}
    assert "CIRCULAR" in captions[5] and "CIRCULAR" in captions[7]
    assert not any("RENDERED" in caption for caption in captions.values())
    numbers = pd.read_csv(folder / "results/figures/fig5.csv")
    r = numbers[numbers["measure"] == "r"]
    assert set(r["label_source"]) == {"network:emofan"} and set(r["n"]) == {41}
    own = r["network"] == "emofan"
    assert r.loc[own, "note"].str.contains("CIRCULAR").all()
    assert not r.loc[~own, "note"].str.contains("CIRCULAR").any()
    accuracy = pd.read_csv(folder / "results/figures/fig7.csv").query("measure == 'accuracy'")
    assert (accuracy["value"] == 1).all()  # as it must be


def test_one_more_video_decodes_just_that(run, videos):
    folder, data, _, again = run
    assert planned(again) == {}
    write_disfa(data / "DISFA", {"SN003": FRAMES}, size=SIZE, draw=videos, intensities=intensity)
    expected = {"extract_frames": 2, "prepare_stimuli": 2, "prepare_labels": 2, "report_stimuli": 2}
    # SN003 is a woman, so both face sets get her; the others' frames stay.
    assert planned(again) == expected | {"predict_expressions": 2}
    kept = folder / "results/frames/disfa/SN001.h5"
    before = kept.stat().st_mtime_ns
    assert again("results/stimuli/disfa.labels.h5").returncode == 0
    faces = read_stimuli(folder / "results/stimuli/disfa.h5")
    assert list(faces.labels["identity"].unique()) == ["SN001", "SN002", "SN003", "SN005"]
    assert kept.stat().st_mtime_ns == before
    # Gone again, she leaves the set, and nobody's video is decoded.
    video_path(data / "DISFA", "SN003").unlink()
    assert planned(again)["prepare_stimuli"] == 1 and "extract_frames" not in planned(again)
    assert again().returncode == 0
    assert planned(again) == {}


def test_a_corrected_sex_arrives(run):
    _, data, _, again = run
    table = data / "people.csv"
    text = table.read_text()
    table.write_text(text.replace("SN002,m", "SN002,f"))
    # In the set of all people no picture changes; in that of the women she is new.
    plan = planned(again)
    assert (plan["extract_frames"], plan["prepare_stimuli"], plan["prepare_labels"]) == (1, 1, 2)
    assert plan["predict_expressions"] == 1
    table.write_text(text)
    assert planned(again) == {}


def test_a_changed_label_file_decodes_just_that_person(run):
    _, data, _, again = run
    file = data / "DISFA/ActionUnit_Labels/SN002/SN002_au9.txt"
    before = file.read_text()
    file.touch()
    assert planned(again) == {}
    file.write_text(before.replace("0", "1", 1))
    assert planned(again)["extract_frames"] == 1
    file.write_text(before)


def test_names_and_later_steps_touch_no_picture(run):
    _, _, config, again = run
    datasets = dict(config["datasets"])
    datasets["disfa"] = datasets["disfa"] | {"label": "Other", "predicted_by": []}
    other = config | {"datasets": datasets}
    assert planned(again, config=other) == {"report_stimuli": 1}
    datasets["kdef"] = datasets["kdef"] | {"sessions": ["A"]}
    assert planned(again, config=other)["prepare_stimuli"] == 1


def test_with_the_disk_gone_what_was_made_stays(run):
    _, data, config, again = run
    datasets = config["datasets"]
    fewer = config | {"datasets": datasets | {"disfa": datasets["disfa"] | {"subjects": ["SN001"]}}}
    data.rename(data.with_name("away"))
    try:
        assert planned(again) == {}
        refused = again("all", "--dry-run", config=fewer)
        assert refused.returncode != 0 and "datasets.disfa.path" in refused.stderr
        assert "no such file or folder" in refused.stderr
    finally:
        data.with_name("away").rename(data)
