"""Code digests: an edit that can change a result counts, another does not."""

import json
import os
import shutil

import pytest

from facestages import provenance

BEFORE = '''"""About."""

from facestages.helper import double


def main(x):
    """Say."""
    return double(x)  # twice
'''


@pytest.fixture
def project(tmp_path, monkeypatch):
    package = tmp_path / "facestages"
    (package / "part").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "part" / "__init__.py").write_text("")
    (package / "part" / "deep.py").write_text("FACTOR = 2\n")
    (package / "helper.py").write_text(
        "def double(x):\n    from facestages.part.deep import FACTOR\n\n    return FACTOR * x\n"
    )
    (package / "unused.py").write_text("A = 1\n")
    (package / "config.py").write_text("A = 1\n")
    (tmp_path / "script.py").write_text(BEFORE)
    monkeypatch.setattr(provenance, "PACKAGE", package)
    monkeypatch.setattr(provenance, "_WITHOUT_RESULT", {package / "config.py"})
    return tmp_path


@pytest.mark.parametrize(
    ("file", "old", "new", "changes"),
    [
        ("script.py", "# twice", "# two times", False),
        ("script.py", "Say.", "Speak.", False),
        ("script.py", "\n\n\ndef", "\n\n\n\n\ndef", False),
        ("script.py", "double(x)", "double(x + 1)", True),
        ("facestages/helper.py", "FACTOR * x", "FACTOR + x", True),
        ("facestages/part/deep.py", "2", "3", True),
        ("facestages/unused.py", "1", "2", False),
    ],
)
def test_what_counts(project, file, old, new, changes):
    before = provenance.digest_code(project / "script.py")
    path = project / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new) + "\n# at the end\n")
    provenance._digest_bytes.cache_clear()
    assert (provenance.digest_code(project / "script.py") != before) is changes


def test_digest_is_the_same_in_another_folder(project, tmp_path_factory, monkeypatch):
    before = provenance.digest_code(project / "script.py")
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(project, copy, dirs_exist_ok=True)
    monkeypatch.setattr(provenance, "PACKAGE", copy / "facestages")
    assert provenance.digest_code(copy / "script.py") == before


def test_what_was_found_is_kept_for_the_next_start(project, monkeypatch):
    script, store = project / "script.py", project / "notes" / "digests.json"
    found = provenance.digest_code(script)
    assert provenance.digest_code(script, store) == found
    (project / "facestages" / "unused.py").write_text("no python at all (")
    _start_anew()
    monkeypatch.setattr(provenance.ast, "parse", None)
    assert provenance.digest_code(script, store) == found
    assert [path.name for path in store.parent.iterdir()] == ["digests.json"]


def test_an_edit_is_seen_whatever_its_time(project):
    script, store = project / "script.py", project / "digests.json"
    found = provenance.digest_code(script, store)
    status = script.stat()
    script.write_text(BEFORE.replace("double(x)", "double(y)"))
    os.utime(script, ns=(status.st_atime_ns, status.st_mtime_ns))
    _start_anew()
    assert provenance.digest_code(script, store) != found


@pytest.mark.parametrize("text", ["", "[1]", '{"cut off": ', "\udcff"])
def test_a_damaged_store_is_written_anew(project, text):
    script, store = project / "script.py", project / "digests.json"
    store.write_bytes(text.encode(errors="surrogateescape"))
    _start_anew()
    assert provenance.digest_code(script, store) == provenance.digest_code(script)
    assert isinstance(json.loads(store.read_text()), dict)


def test_a_store_that_cannot_be_written_does_no_harm(project):
    (project / "file").write_text("")
    script = project / "script.py"
    found = provenance.digest_code(script)
    assert provenance.digest_code(script, project / "file" / "digests.json") == found


def _start_anew() -> None:
    """Forget what this process read, as the next one does."""
    provenance._digest_bytes.cache_clear()
    provenance._read_store.cache_clear()
