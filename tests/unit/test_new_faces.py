"""What names of pictures tell, and the config that is made of it."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facestages.__main__ import main
from facestages.config import load_config
from facestages.errors import FacestagesError
from facestages.new_faces import describe, guess_labels, new_config

EXPRESSIONS = ("happy", "sad", "angry")


def guessed(paths, *labels):
    table = guess_labels(sorted(paths)).table
    return {label: table[label].tolist() if label in table else None for label in labels}


@pytest.mark.parametrize(
    ("name", "identity", "expression"),
    [
        ("{p}/{e}.jpg", "ann", "happy"),
        ("{p}/{e}1.JPG", "ann", "happy"),
        ("{e}/{p}_01.png", "ann", "happy"),
        ("img_{p}_{e}.png", "ann", "happy"),
        ("{p}.{e}", "ann", "happy"),
        ("set/{p}-{e}-2.tiff", "ann", "happy"),
    ],
)
def test_parts_of_names(name, identity, expression):
    paths = [name.format(p=p, e=e) for p in ("ann", "bob", "cleo") for e in EXPRESSIONS]
    found = guess_labels(paths).table
    assert (found["identity"][0], found["expression"][0]) == (identity, expression)
    assert found["identity"].nunique() == 3 and found["expression"].nunique() == 3


@pytest.mark.parametrize(
    ("names", "first"),
    [
        (["KDEF/AF01/AF01AFS.JPG", "KDEF/BM02/BM02NEHL.JPG"], ("F01", "fear")),
        (["KA.AN1.39.tiff", "KA.HA1.29.tiff", "KL.SA2.14.tiff"], ("KA", "angry")),
        (["Rafd090_01_Caucasian_female_surprised_frontal.jpg"] * 2, ("01", "surprise")),
        (["S005/001/S005_001_00000011.png", "S010/002/S010_002_00000014.png"], ("S005", None)),
    ],
)
def test_published_sets(names, first):
    table = guess_labels(names).table
    assert (
        table["identity"][0],
        table["expression"][0] if "expression" in table else None,
    ) == first


def test_faces_of_a_published_set_are_not_shown(tmp_path):
    for name in ("AF01AFS.JPG", "AF01HAS.JPG", "AF02AFS.JPG", "AF02HAS.JPG"):
        (tmp_path / "set").mkdir(exist_ok=True)
        Image.new("L", (9, 9)).save(tmp_path / "set" / name)
    new_config(tmp_path / "set", tmp_path / "config")
    assert load_config(tmp_path / "config" / "set.yaml").datasets["set"].may_show == "none"


def test_other_words_are_no_expression_and_are_told():
    paths = [
        f"s{n}.{word}" for n in range(4) for word in ("happy", "sad", "normal", "wink", "lamp")
    ]
    guess = guess_labels(paths)
    assert guess.table["expression"].tolist() == ["happy", "sad", "neutral", "", ""] * 4
    assert "8 pictures have no expression, such as s0.wink" in describe(guess)


def test_names_of_several_kinds_in_one_folder():
    words = ("happy", "sad", "surprised", "normal", "sleepy")
    paths = [f"P0{n}/P0{n}_{word}_{k}.png" for n in range(1, 7) for k, word in enumerate(words)]
    paths += [f"{who}-{word}.png" for who in ("anna", "berta", "cleo") for word in words]
    paths += [f"Dieter {word}.JPG" for word in words] + [f"eva_{w.upper()}.jpg" for w in words]
    paths += [f"frank/{word}.png" for word in words]
    guess = guess_labels(sorted(paths))
    counts = guess.table["identity"].value_counts()
    assert len(counts) == 12 and set(counts) == {5}
    assert {"P01", "anna", "Dieter", "eva", "frank"} < {*counts.index}
    shown = guess.table["expression"].value_counts()
    assert shown.to_dict() == {"happy": 12, "sad": 12, "surprise": 12, "neutral": 12, "": 12}
    lines = describe(guess)
    assert any(line.startswith("12 pictures have no expression, such as ") for line in lines)
    assert sum(name in "\n".join(lines) for name in ("Dieter", "P01/", "frank/")) == 3


def test_one_person_and_people_with_one_picture_are_told():
    one = describe(guess_labels([f"one/anna/{e}{n}.png" for e in EXPRESSIONS for n in (1, 2)]))
    assert any("Nothing in the names" in line or "one person" in line for line in one)
    paths = [f"{p}_{e}.png" for p in ("ann", "bob", "cleo") for e in EXPRESSIONS]
    lines = describe(guess_labels([*paths, "dora_happy.png"]))
    assert "1 person has one picture, such as dora: is that so?" in lines


def test_names_that_say_nothing():
    guess = guess_labels([f"DSC{n:05d}.jpg" for n in range(30)])
    assert list(guess.table) == ["path"]
    assert sum(": ? Nothing in the names" in line for line in describe(guess)) == 2


def test_sexes_are_no_people():
    paths = [f"{sex}_{p}_{e}.png" for sex, people in (("male", "ab"), ("female", "cd"))
             for p in people for e in EXPRESSIONS]  # fmt: skip
    found = guessed(paths, "identity", "sex")
    assert {*found["identity"]} == {*"abcd"} and {*found["sex"]} == {"male", "female"}


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for person in ("ann", "bob", "cleo"):
        for expression in EXPRESSIONS:
            path = tmp_path / "My faces (2)" / person / f"{expression}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (40, 30), dtype=np.uint8)).save(path)
    return tmp_path / "My faces (2)"


def test_a_folder_becomes_a_config(folder, tmp_path):
    lines = new_config(folder, tmp_path / "config")
    config = load_config(tmp_path / "config" / "my_faces_2.yaml")
    table = pd.read_csv(tmp_path / "config" / "my_faces_2.csv")
    assert config.datasets["my_faces_2"].folder == str(folder)
    assert table["path"][0] == "ann/angry.png" and list(table)[1:] == ["identity", "expression"]
    assert Image.open(tmp_path / "config" / "my_faces_2.png").width > 500
    assert lines[-1].endswith("my_faces_2.yaml results/my_faces_2/figures/fig4.pdf")
    for kind in ("yaml", "csv", "png"):
        # Even if it is the only one that is left: it may have been corrected.
        for other in {"yaml", "csv", "png"} - {kind}:
            (tmp_path / "config" / f"my_faces_2.{other}").unlink(missing_ok=True)
        (tmp_path / "config" / f"my_faces_2.{kind}").write_text("mine")
        with pytest.raises(FacestagesError, match=f"there already: .*my_faces_2.{kind}") as error:
            new_config(folder, tmp_path / "config")
        assert ("make check" in str(error.value)) == (kind == "yaml")
        assert (tmp_path / "config" / f"my_faces_2.{kind}").read_text() == "mine"


def test_an_unreadable_picture_is_told_on_the_sheet(folder, tmp_path):
    (folder / "ann" / "sad.png").write_bytes(b"no picture")
    new_config(folder, tmp_path / "config")
    assert (tmp_path / "config" / "my_faces_2.png").exists()


def test_a_table_becomes_a_config(folder, tmp_path):
    table = tmp_path / "list.csv"
    table.write_text("file;emotion;who\nann/happy.png;happy;ann\n")
    new_config(table, tmp_path / "config")
    entry = load_config(tmp_path / "config" / "list.yaml").datasets["list"]
    assert entry.columns == {"path": "file", "expression": "emotion", "identity": "who"}


@pytest.mark.parametrize(
    ("source", "words"),
    [("nowhere", "no such folder or table"), (".", "holds no picture"), ("a.doc", "give a folder")],
)
def test_what_is_no_face_set(tmp_path, source, words, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.doc").touch()
    place = tmp_path / "empty" if source == "." else tmp_path / source
    assert main(["new", str(place), "--out", str(tmp_path / "config")]) == 1
    assert words in capsys.readouterr().err
    assert not (tmp_path / "config").exists() or not list((tmp_path / "config").iterdir())


def test_check_explains_the_question_mark(tmp_path, capsys):
    for number in range(4):
        Image.new("L", (9, 9)).save(tmp_path / f"DSC{number}.png")
    assert main(["new", str(tmp_path), "--out", str(tmp_path / "config")]) == 0
    (config,) = (tmp_path / "config").glob("*.yaml")
    assert main(["check", str(config)]) == 1
    error = capsys.readouterr().err
    assert "names of the pictures do not tell the identity. Add a column 'identity'" in error
    (table,) = (tmp_path / "config").glob("*.csv")
    pd.read_csv(table).assign(identity="ann").to_csv(table, index=False)
    assert main(["check", str(config)]) == 1
    assert "has a column 'identity' now. Delete" in capsys.readouterr().err
    text = config.read_text()
    (entry,) = (line for line in text.splitlines(keepends=True) if '"?"' in line)
    config.write_text(text.replace(entry, ""))
    assert main(["check", str(config)]) == 0
    assert "all pictures have the identity 'ann'" in capsys.readouterr().out


def test_check_names_what_is_blank(folder, tmp_path, capsys):
    new_config(folder, tmp_path / "config")
    config = tmp_path / "config" / "my_faces_2.yaml"
    assert main(["check", str(config)]) == 0
    assert "no mistake; figures: figures.fig4" in capsys.readouterr().out
