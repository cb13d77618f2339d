"""Every reader of a user's file: hypothesis damages valid files and makes odd ones.

Each ends with a valid result, or with one or two lines of what is wrong. FACESTAGES_FUZZ=100 tries
a hundred times as many.
"""

import csv
import io
import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from damage import CELLS, VALUES, altered, damaged, fuzz, sound
from disfa_files import label_path, video_path, write_disfa
from facestages.action_units import DISFA_UNITS, parse_rules
from facestages.assets import read_manifest
from facestages.claims import judge_claims
from facestages.config import load_config
from facestages.disfa_files import choose_subjects, read_subject_list
from facestages.errors import FacestagesError
from facestages.stimuli.disfa import read_subject
from facestages.stimuli.disfa_labels import read_action_units
from facestages.stimuli.fer2013 import read_fer2013
from facestages.stimuli.kdef import list_kdef
from facestages.stimuli.labels import kdef as kdef_labels
from facestages.stimuli.labels import table as table_labels
from facestages.stimuli.orl import list_orl
from facestages.stimuli.pictures import read_picture
from facestages.stimuli.ratings import NORM_COLUMNS, join_norms, read_oasis
from facestages.stimuli.table import list_table

ROOT = Path(__file__).parents[2]
NOISE = np.random.default_rng(0).integers(0, 256, (12, 10, 3)).astype(np.uint8)

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


# ------------------------------------------------------------------------------------- pictures


def picture(kind: str, mode: str = "RGB", **options) -> bytes:
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    if kind in ("JPEG", "PNG", "WEBP"):
        options["exif"] = exif
    Image.fromarray(NOISE).convert(mode).save(stream, kind, **options)
    return stream.getvalue()


PICTURES = [
    picture("JPEG"),
    picture("JPEG", "L", progressive=True),
    picture("PNG"),
    picture("PNG", "RGBA"),
    picture("PNG", "P"),
    picture("PNG", "I;16"),
    picture("TIFF"),
    picture("TIFF", "L", compression="tiff_lzw"),
    picture("TIFF", "RGB", compression="jpeg"),
    picture("BMP"),
    picture("GIF", "P"),
    picture("WEBP"),
    picture("PPM"),
    picture("PPM", "L"),
    picture("AVIF"),
    picture("DDS"),
]


@fuzz(150)
@given(content=st.sampled_from(PICTURES).flatmap(damaged), color=st.sampled_from(["grey", "rgb"]))
def test_pictures(place, content, color):
    path = place / "picture"
    path.write_bytes(content)
    pixels = sound(path, read_picture, path, color)
    if pixels is not None:
        assert pixels.dtype == np.uint8 and pixels.ndim == (2 if color == "grey" else 3)
        assert 0 < pixels.size


# --------------------------------------------------------------------------------------- tables


def written(path: Path, header: list[str], rows: list[list[str]]) -> Path:
    with open(path, "w", newline="", encoding="utf-8", errors="replace") as stream:
        csv.writer(stream).writerows([header, *rows])
    return path


def tables(columns: list[str]) -> st.SearchStrategy:
    """Header and rows, most of them of these columns and of equal lengths."""
    headers = st.lists(st.one_of(st.sampled_from(columns), CELLS), min_size=1, max_size=5)
    return headers.flatmap(
        lambda header: st.tuples(
            st.just(header),
            st.lists(st.lists(CELLS, min_size=len(header), max_size=len(header)), max_size=4),
        )
    )


TABLE = b"path,identity,expression,valence,frame\r\na.png,p1,happy,0.5,1\r\nb.png,p2,sad,,2\r\n"
NORMS = b"picture,valence,arousal_sd,note\na.png,3.5,1.2,x\nB,NA,2,\n"
SUBJECTS = b"subject,sex\nSN001,female\nSN002,M\n"


def check_list(path):
    listed = sound(path, list_table, path)
    if listed is not None:
        ids = [each.stimulus_id for each in listed.pictures]
        assert len(set(ids)) == len(ids) == listed.n > 0
        entry = {"table": path, "norms": None, "sources": {}, "columns": {}, "rename": {}}
        labels = sound(path, table_labels.list_labels, entry, pd.DataFrame({"stimulus_id": ids}))
        assert labels is None or not any(
            "\0" in str(value) for value in labels.table.to_numpy().flat
        )


def check_norms(path):
    labels = pd.DataFrame({"stimulus_id": ["a", "b.png", "c"]})
    joined = sound(path, join_norms, labels, path)
    if joined is not None:
        assert len(joined[0]) == 3 and set(joined[0]) <= set(NORM_COLUMNS)
        assert not np.isinf(joined[0].to_numpy()).any()


def check_subjects(path):
    sexes = sound(path, read_subject_list, path)
    assert sexes is None or set(sexes.values()) <= {"female", "male"}


READ = [
    (TABLE, ["path", "stimulus_id", "identity", "valence", "frame", "au_1"], check_list),
    (NORMS, ["picture", "Valence", "valence", "arousal", "name", "valence_n"], check_norms),
    (SUBJECTS, ["subject", "sex"], check_subjects),
]


@pytest.mark.parametrize(("whole", "columns", "check"), READ)
def test_tables(place, whole, columns, check):
    path = place / "table.csv"

    @fuzz(60)
    @given(content=damaged(whole))
    @example(content=whole.decode().encode("utf-16"))
    @example(content=whole.replace(b"\n", b"\r"))
    @example(content=whole + b'"' + b"x" * 200_000)
    def bytes_differ(content):
        path.write_bytes(content)
        check(path)

    @fuzz(60)
    @given(table=tables(columns))
    def cells_differ(table):
        check(written(path, *table))

    bytes_differ()
    cells_differ()


@pytest.fixture(scope="module")
def oasis():
    """A table like OASIS.csv."""
    columns = "Theme,Category,Valence_mean,Valence_SD,Valence_N,Arousal_mean,Arousal_SD,Arousal_N"
    rows = (f"{number},Dog {number},Animal,{row}" for number in range(1, 901) for row in [NUMBERS])
    return "\r".join([f",{columns}", *rows]).encode()


NUMBERS = "3.5,1.2,100,4.1,0.8,101"


@fuzz(25)
@given(data=st.data())
def test_oasis(place, oasis, data):
    path = place / "OASIS.csv"
    path.write_bytes(data.draw(damaged(oasis)))
    ratings = sound(path, read_oasis, path)
    assert ratings is None or ratings["valence"].between(1, 7).all()


# -------------------------------------------------------------------------------------- FER2013


FACE = np.random.default_rng(1).integers(0, 256, (48, 48)).astype(np.uint8)
FER = f"emotion,pixels,Usage\n3,{' '.join(map(str, FACE.ravel()))},Training\n".encode()


@fuzz(40)
@given(content=damaged(FER))
def test_fer2013_as_a_table(place, content):
    path = place / "fer2013.csv"
    path.write_bytes(content)
    faces = sound(path, read_fer2013, path)
    assert faces is None or faces.images.shape[1:] == (48, 48)


#: Names of files: any bytes but these two.
NAMES = st.one_of(
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), max_size=9),
    st.binary(max_size=9).map(os.fsdecode),
).filter(lambda name: name not in ("", ".", "..") and not {"/", "\0"} & set(name))


@fuzz(40)
@given(
    split=st.one_of(st.sampled_from(["train", "TEST", "validation"]), NAMES),
    kind=st.one_of(st.sampled_from(["happy", "Sad"]), NAMES),
    name=st.one_of(st.sampled_from(["a.png", "PublicTest_1.png", "x_"]), NAMES),
    data=st.data(),
)
def test_fer2013_as_folders(tmp_path_factory, split, kind, name, data):
    root = tmp_path_factory.mktemp("fer")
    folder = root / split / kind
    try:
        folder.mkdir(parents=True)
        (root / "train" / "angry").mkdir(parents=True, exist_ok=True)
        stream = io.BytesIO()
        Image.fromarray(FACE).save(stream, "PNG")
        content = stream.getvalue()
        (folder / name).write_bytes(data.draw(st.one_of(st.just(content), damaged(content))))
    except OSError:
        return
    faces = sound(root, read_fer2013, root)
    if faces is not None:
        for stimulus_id in faces.labels["stimulus_id"]:
            stimulus_id.encode()


# ------------------------------------------------------------------------------------ KDEF, ORL


KDEF_NAMES = st.one_of(
    st.builds("".join, st.tuples(*map(st.sampled_from, ("ABC", "FM", ("01", "35", "36"))))),
    st.sampled_from(["AF01AFS.JPG", "af01afs.jpg", "AF31V.JPG", "FAFS.jpg", "BM35SUHR.png"]),
    NAMES,
).flatmap(lambda stem: st.sampled_from(["", ".jpg", "AFS.JPG"]).map(stem.__add__))


@fuzz(60)
@given(names=st.lists(KDEF_NAMES, max_size=4), content=st.binary(max_size=9))
def test_kdef(tmp_path_factory, names, content):
    root = tmp_path_factory.mktemp("kdef")
    for number, name in enumerate(names):
        folder = root / str(number % 2)
        folder.mkdir(exist_ok=True)
        try:
            (folder / name).write_bytes(content * (number + 1))
        except OSError:
            continue
    listed = sound(root, list_kdef, root)
    if listed is not None:
        for name, _ in listed.excluded:
            name.encode()
        ids = pd.DataFrame({"stimulus_id": [each.stimulus_id for each in listed.pictures]})
        if len(ids):
            labels = kdef_labels.list_labels({"norms": None}, ids)
            assert set(labels.table["sex"]) <= {"female", "male"}


@fuzz(20)
@given(names=st.lists(st.tuples(st.sampled_from(["s1", "s40", "s41", "S1"]), NAMES), max_size=4))
def test_orl(tmp_path_factory, names):
    root = tmp_path_factory.mktemp("orl")
    for folder, name in names:
        try:
            (root / folder).mkdir(exist_ok=True)
            (root / folder / f"{name}.pgm").touch()
        except OSError:
            continue
    assert sound(root, list_orl, root) is None


# ---------------------------------------------------------------------------------------- DISFA


@pytest.fixture(scope="module")
def disfa(tmp_path_factory):
    folder = tmp_path_factory.mktemp("disfa")
    return write_disfa(folder, {"SN001": 6}, size=(64, 48))


@fuzz(60)
@given(content=damaged(b"1,0\r\n2,0\r\n3,5\r\n4,1\r\n5,0\r\n6,0\r\n"))
def test_labels_of_disfa(disfa, content):
    path = label_path(disfa, "SN001", 4)
    whole = path.read_bytes()
    path.write_bytes(content)
    units = sound(disfa, read_action_units, disfa, "SN001")
    path.write_bytes(whole)
    assert units is None or units.to_numpy().min() >= 0 and units.to_numpy().max() <= 5


@fuzz(40)
@given(data=st.data())
def test_videos_of_disfa(disfa, data):
    path = video_path(disfa, "SN001")
    whole = path.read_bytes()
    path.write_bytes(data.draw(damaged(whole)))

    def read():
        choice = {"frames_per_person": 2, "select": "even", "min_distance": 1, "seed": 0}
        listed = read_subject(disfa, "SN001", camera="left", **choice)
        return [each.read() for each in listed.pictures]

    try:
        frames = sound(disfa, read)
    finally:
        path.write_bytes(whole)
    assert frames is None or all(frame.dtype == np.uint8 for frame in frames)


@fuzz(40)
@given(names=st.lists(NAMES, max_size=3), subjects=st.sampled_from(["all", "women", ["SN001"]]))
def test_folders_of_disfa(tmp_path_factory, names, subjects):
    root = tmp_path_factory.mktemp("subjects")
    sexes = root / "sexes.csv"
    sexes.write_bytes(SUBJECTS)
    for name in names:
        try:
            (root / f"LeftVideoSN001{name}.avi").touch()
        except OSError:
            continue
    sound(root, choose_subjects, root, "left", subjects, sexes)


@fuzz(60)
@given(
    rules=st.dictionaries(
        st.one_of(st.sampled_from(["happy", "neutral"]), CELLS),
        st.one_of(VALUES, st.text("0123456789+| ", max_size=8), st.just("1" * 5000)),
        max_size=3,
    )
)
def test_rules_of_action_units(rules):
    sound("rules", parse_rules, rules, DISFA_UNITS)


# ----------------------------------------------------------------------------------------- YAML


def check_config(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            load_config(path)
        except FacestagesError as error:
            # A config has a line for each mistake.
            assert all(len(line) <= 410 for line in str(error).splitlines()), str(error)


def check_manifest(path):
    sound(path, read_manifest, path)


TABLES = pd.DataFrame(
    {"measure": ["held-out accuracy", "p"], "name": ["net", "net"], "value": [0.7, 0.2]}
)


def check_claims(path):
    scores = path.with_name("table1.csv")
    TABLES.to_csv(scores, index=False)
    networks = {"net": {"label": "Net", "paper": "NN1", "kinds": ["expressions"], "roles": []}}
    judged = sound(path, judge_claims, path, {"table1": [scores]}, networks, {}, {})
    assert judged is None or judged["verdict"].notna().all()


YAMLS = [
    ("config/config.yaml", check_config),
    ("config/paper.yaml", check_config),
    ("resources/manifest.yaml", check_manifest),
    ("resources/claims.yaml", check_claims),
]


@pytest.mark.parametrize(("file", "check"), YAMLS)
def test_yaml(place, file, check):
    whole = (ROOT / file).read_bytes()
    content = yaml.safe_load(whole)
    if "claims" in content:
        content["claims"] = content["claims"][:4]
        whole = yaml.safe_dump(content).encode()
    path = place / "file.yaml"

    @fuzz(15)
    @given(content=damaged(whole))
    @example(content=b"a: !!timestamp x")
    @example(content=b"a: !!bool x")
    @example(content=b"a: 2020-99-99")
    @example(content=b"a: &a [*a]")
    @example(content=b"")
    def bytes_differ(content):
        path.write_bytes(content)
        check(path)

    @fuzz(30)
    @given(changed=altered(content))
    def values_differ(changed):
        path.write_text(yaml.safe_dump(changed, allow_unicode=True), errors="replace")
        check(path)

    bytes_differ()
    values_differ()
