"""Digests of what a user hands in: content counts, age does not, and nothing is read twice."""

import hashlib
import json
import os
import sys
from pathlib import Path

import pytest

from disfa_files import label_path, write_disfa
from facestages import contents
from facestages.contents import digest_content, digest_given, digest_listed, digest_module

LARGE = bytes(range(256)) * 5000


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(path, content=b"x", age=100):
    """Write a file whose change is some seconds ago, as far as `contents` can see."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.fixture
def settled(monkeypatch):
    """Files count as unchanged for long, at once."""
    monkeypatch.setattr(contents, "_SETTLED_NS", -(10**12))


@pytest.fixture
def reads(monkeypatch):
    """Names of the files that were read."""
    names = []
    read = hashlib.file_digest
    monkeypatch.setattr(
        hashlib, "file_digest", lambda file, how: names.append(file.name) or read(file, how)
    )
    return names


# --------------------------------------------------------------------------------- files, folders


def test_what_programs_leave_in_folders_does_not_count():
    write("set/a.png")
    before = digest_content("set")
    for name in ("Thumbs.db", "sub/desktop.ini", "__MACOSX/a.png", ".DS_Store"):
        write(f"set/{name}")
    assert digest_content("set") == before


def test_a_file_has_the_sha256_of_its_bytes():
    for content in (b"", b"abc", LARGE):
        assert digest_content(write("a", content)) == hashlib.sha256(content).hexdigest()


def test_times_do_not_count_and_content_does():
    file = write("a", "one")
    before, status = digest_content(file), file.stat()
    os.utime(file, (0, 0))
    assert digest_content(file) == before
    write("a", "two")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert digest_content(file) != before


def test_a_folder_counts_by_names_and_contents():
    write("set/a", "one")
    before = digest_content("set")
    write("set/.hidden", "x")
    assert digest_content("set") == before
    os.rename("set", "other")
    assert digest_content("other") == before
    os.rename("other/a", "other/b")
    assert digest_content("other") != before
    assert digest_content("none") != digest_content("other")


def test_linked_folders_count_once_and_circles_end():
    write("set/a")
    os.symlink("../elsewhere", "set/link")
    write("elsewhere/b")
    before = digest_content("set")
    os.symlink("../set", "elsewhere/up")
    digest_content("set")
    write("elsewhere/b", "changed")
    assert digest_content("set") != before


def test_large_files_are_read_once(settled, reads):
    for name in "ab":
        write(f"set/{name}", LARGE)
    first = digest_content("set")
    assert len(reads) == 2
    assert digest_content("set") == first and len(reads) == 2
    write("set/b", LARGE[::-1])
    assert digest_content("set") != first and reads[2:] == ["set/b"]


@pytest.mark.parametrize("how", ["in place", "moved over", "copied over"])
def test_a_change_is_seen_whatever_its_time_and_size(settled, how):
    file = write("a", LARGE)
    before, status = digest_content(file), file.stat()
    other = write("b", LARGE[::-1])
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    if how == "moved over":
        other.replace(file)
    else:
        with open(file, "r+b" if how == "in place" else "wb") as stream:
            stream.write(LARGE[::-1])
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert file.stat().st_mtime_ns == status.st_mtime_ns
    assert digest_content(file) == hashlib.sha256(LARGE[::-1]).hexdigest() != before


def test_what_changed_just_now_is_not_remembered(reads):
    write("a", LARGE)
    digest_content("a")
    digest_content("a")
    assert len(reads) == 2


@pytest.mark.parametrize("damage", ["cut off", "one digit", "other shape"])
def test_a_damaged_record_is_not_trusted(settled, reads, damage):
    file = write("a", LARGE)
    before = digest_content(file)
    (record,) = contents.KEPT.iterdir()
    text = record.read_text()
    digit = "1" if before[0] == "0" else "0"
    changed = {
        "cut off": text[:-9],
        "one digit": text.replace(before, digit + before[1:]),
        "other shape": json.dumps([contents.digest([1]), [1]]),
    }
    assert changed[damage] != text
    record.write_text(changed[damage])
    assert digest_content(file) == before and len(reads) == 2
    assert digest_content(file) == before and len(reads) == 2


def test_a_record_that_cannot_be_written_does_no_harm(settled):
    write(".snakemake", "a file where a folder is wanted")
    assert digest_content(write("a", LARGE)) == hashlib.sha256(LARGE).hexdigest()


def test_a_long_reading_is_told(monkeypatch, capsys):
    monkeypatch.setattr(contents, "_LONG", 2 << 20)
    monkeypatch.setattr(contents, "_n_read", 0)
    digest_content(write("a", LARGE))
    assert capsys.readouterr().err == ""
    digest_content(write("b", LARGE))
    assert capsys.readouterr().err == "reading b, 1 MB: its content counts\n"


# --------------------------------------------------------------------------------- tables


TABLE = "\ufeffidentity, path ,expression\nx, a.png ,happy\ny,b.png,sad\n"


def test_of_a_table_the_listed_pictures_count():
    write("t.csv", TABLE)
    for name in "abc":
        write(f"set/{name}.png", name)
    before = digest_listed("t.csv", "set")
    write("set/c.png", "not listed")
    write("t.csv", TABLE.replace("happy", "fear").replace("x,", "z,"))
    assert digest_listed("t.csv", "set") == before
    write("t.csv", TABLE.replace("happy", "long " * 40_000))
    assert digest_listed("t.csv", "set") == before
    for change in (("b.png", "c.png"), ("expression", "stimulus_id")):
        write("t.csv", TABLE.replace(*change))
        assert digest_listed("t.csv", "set") != before
    write("t.csv", TABLE)
    write("set/a.png", "changed")
    assert digest_listed("t.csv", "set") != before


@pytest.mark.parametrize("text", ["", "path\n", "a\n1\n", "path,b\n1\n", "path\n\xff\n"])
def test_a_table_that_is_none_counts_by_its_bytes(text):
    write("t.csv", text.encode("latin-1"))
    assert digest_listed("t.csv", ".") == digest_content("t.csv")


def test_people_of_a_table_decide_the_step():
    write("t.csv", "path,identity\n" + "".join(f"{n}.png,{n % 3}\n" for n in range(30)))
    assert contents.count_people("t.csv") == [10, 10, 10]
    assert digest_given("step", "t.csv", 10) == "4"
    assert contents.count_people("none.csv") == []
    before = digest_given("people of a table", "t.csv")
    write("t.csv", "path,identity,age\n" + "".join(f"{n}.png,{n % 3},{n}\n" for n in range(30)))
    assert digest_given("people of a table", "t.csv") == before
    write("t.csv", "path,identity\n" + "".join(f"{n}.png,{n % 5}\n" for n in range(30)))
    assert digest_given("people of a table", "t.csv") != before


# --------------------------------------------------------------------------------- videos


def test_of_a_video_set_each_persons_files_count(tmp_path):
    write_disfa(tmp_path / "D", {"SN001": 3, "SN002": 3}, size=(32, 32))
    write("people.csv", "subject,sex\nSN001,f\nSN002,m\n")
    assert digest_given("people", "D", "left", "all", None) == "SN001 SN002"
    assert digest_given("people", "D", "left", "women", "people.csv") == "SN001"
    assert digest_given("people", "D", "left", "SN002", None) == "SN002"

    def digests():
        persons = [digest_given("person", "D", "left", f"SN00{n}") for n in (1, 2)]
        return [*persons, digest_given("action units", "D", "SN001")]

    before = digests()
    for subject, same in (("SN001", [False, True, False]), ("SN002", [True, False, True])):
        labels = label_path(tmp_path / "D", subject, 1)
        text = labels.read_text()
        labels.write_text(text.replace("0", "1"))
        assert [a == b for a, b in zip(digests(), before, strict=True)] == same
        labels.write_text(text)
    write_disfa(tmp_path / "D", {"SN001": 4}, size=(32, 32))
    assert digests()[0] != before[0]


# --------------------------------------------------------------------------------- code


USERS = {
    "nets/__init__.py": "from . import blocks\n",
    "nets/small.py": "import json, h\nfrom .deep.more import x\n\ndef small():\n    import late\n",
    "nets/blocks.py": "a = 1\n",
    "nets/deep/more.py": "from .. import shared\nx = 1\n",
    "nets/shared.py": "try:\n    import maybe\nexcept ImportError:\n    pass\n",
    "h.py": "b = 1\n",
    "late.py": "c = 1\n",
    "maybe.py": "d = 1\n",
}


@pytest.mark.parametrize("changed", USERS)
def test_all_that_a_users_module_imports_counts(changed):
    for name, text in USERS.items():
        write(name, text)
    write("nets/alone.py", "no python at all (")
    before = digest_module("nets.small:small", ".")
    write("nets/alone.py", "changed")
    write(changed, f'"""About."""\n{USERS[changed]}# a comment\n')
    assert digest_module("nets.small:small", ".") == before
    write(changed, USERS[changed] + "e = 1\n")
    assert digest_module("nets.small:small", ".") != before


def test_folders_of_the_search_path_count_and_installations_do_not(tmp_path, monkeypatch):
    write("nets.py", "import helper, numpy\n")
    write("lib/helper.py", "a = 1\n")
    write("unused/other.py", "a = 1\n")
    write("env/site-packages/numpy.py", "a = 1\n")
    for folder in ("lib", "unused", "env/site-packages"):
        monkeypatch.syspath_prepend(str(tmp_path / folder))
    folders = contents.import_folders("nets:small")
    assert folders == [".", str(tmp_path / "lib")]
    before = digest_module("nets:small", *folders)
    write("lib/helper.py", "a = 2\n")
    assert digest_module("nets:small", *folders) != before
    assert str(tmp_path / "lib") in sys.path


def test_the_librarys_own_code_counts_where_a_user_builds_on_it():
    write("nets.py", "from facestages.networks.emofan import EmoFAN\n")
    before = digest_module("nets:small", ".")
    write("nets.py", "from facestages.networks.resmasknet import ResMaskNet as EmoFAN\n")
    assert digest_module("nets:small", ".") != before
    assert digest_module("facestages.networks.emofan:EmoFAN", ".") != digest_module("none:x", ".")


# --------------------------------------------------------------------------------- own tables


@pytest.mark.parametrize(
    ("path", "on_disk"),
    [("Jos\u00e9.png", "Jose\u0301.png"), ("IMG\\a.png", "img/a.png"), ("a.PNG", "a.png")],
)
def test_pictures_count_whatever_the_spelling_of_their_paths(path, on_disk):
    write("t.csv", f"path,identity\n{path},x\n")
    write(f"faces/{on_disk}", "one")
    before = digest_listed("t.csv", "faces")
    assert digest_listed("t.csv", "faces") == before
    write(f"faces/{on_disk}", "two")
    assert digest_listed("t.csv", "faces") != before


def test_people_are_those_of_the_columns_and_words_that_the_config_names():
    write("t.csv", "file,who\na.png,x\nb.png,X\nc.png,NA\n")
    reading = json.dumps([{"path": "file", "identity": "who"}, {"identity": {"X": "x"}}])
    assert contents.count_people("t.csv", reading) == [2, 1]
    assert contents.count_people("t.csv") == []
    before = contents.digest_people("t.csv", reading)
    write("t.csv", "file,who\na.png,x\nb.png,x\nc.png,\n")
    assert contents.digest_people("t.csv", reading) == before
