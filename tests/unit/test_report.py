"""The page about what a run is made of, and Snakemake's report with the config of the run."""

import html
import json
import re
import tomllib
from importlib import metadata

import numpy as np
import pandas as pd
import pytest
import yaml

from facestages import __version__, report, store
from facestages.errors import FacestagesError
from facestages.report import PACKAGES, describe_run, write_report
from facestages.stimuli import StimulusSet, write_stimuli
from workflow_runner import REPOSITORY

CONFIG = {
    "datasets": {"posed": {"label": "Portraits <A & B>", "size": 48}},
    "networks": {
        "nn3": {"label": "NN3", "architecture": "light_cnn", "seeds": [0, 1]},
        "own": {"label": "Own", "torch": "my_net:build"},
    },
    "analysis": {"labels": ["identity", "Größe"]},
}
WEIGHTS = {"nn3": ("untrained", "none")}
SNAKEFILE = """
rule plot:
    output:
        report("plot.svg", category="Study 1", labels={"figure": config["title"]})
    script:
        "plot.py"
"""


@pytest.fixture
def files(tmp_path):
    """A rendered face set of two people, and two seeds of a network on it."""
    labels = pd.DataFrame(
        {
            "stimulus_id": ["a", "b", "c"],
            "identity": ["F1", "F1", "F2"],
            "sex": ["female", "female", "female"],
            "valence": [0.1, 0, 1],
            "arousal": [0, 0.5, 1],
        }
    )
    sources = {"identity": "rendered", "sex": "rendered"}
    sources |= {"valence": "rendered: declared", "arousal": "rendered: declared"}
    images = np.zeros((3, 4, 4), np.uint8)
    faces = StimulusSet(images, labels, sources, attributes={"rendered": 1})
    write_stimuli(tmp_path / "posed.h5", faces, "posed")
    for seed in (1, 0):
        notes = {"network": "nn3", "seed": seed, "weights_sha256": f"{seed}" * 64}
        with store.create(tmp_path / f"seed-{seed}.h5", "geometry", **notes):
            pass
    face_sets = [tmp_path / "posed.h5"], [tmp_path / "posed.labels.h5"]
    return *face_sets, [tmp_path / "seed-1.h5", tmp_path / "seed-0.h5"]


def rows(page: str) -> list[list[str]]:
    """Text of the cells of all tables, row by row."""
    lines = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    return [[html.unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", row)] for row in lines]


def test_page_says_what_the_run_is_made_of(tmp_path, files):
    stimuli, *_ = files
    describe_run(tmp_path / "run.html", CONFIG, *files, WEIGHTS)
    page = (tmp_path / "run.html").read_text(encoding="utf-8")
    cells = rows(page)
    face_set = next(row for row in cells if row[:1] == ["posed"])
    assert face_set[1:5] == ["Portraits <A & B>", "3", "2", "RENDERED"]
    assert face_set[5] == "identity: rendered; valence, arousal: rendered: declared"
    with store.open_read(stimuli[0], "stimuli") as file:
        assert face_set[6] == file.attrs["stimuli_digest"]
    networks = [row for row in cells if row[:1] in (["nn3"], ["own"])]
    assert networks == [
        ["nn3", "NN3", "light_cnn", "untrained", "none", "0", "0" * 64],
        ["nn3", "NN3", "light_cnn", "untrained", "none", "1", "1" * 64],
        ["own", "Own", "my_net:build", "none", "none", "", "not recorded"],
    ]
    assert ["numpy", metadata.version("numpy")] in cells
    assert "Left out" not in page


def test_config_can_be_read_back_from_the_page(tmp_path, files):
    describe_run(tmp_path / "run.html", CONFIG, *files, WEIGHTS)
    page = (tmp_path / "run.html").read_text(encoding="utf-8")
    text = html.unescape(re.search(r"<pre>(.*?)</pre>", page, re.DOTALL).group(1))
    assert yaml.safe_load(text) == CONFIG


def test_same_run_gives_same_bytes(tmp_path, files):
    for name in ("a.html", "b.html"):
        describe_run(tmp_path / name, CONFIG, *files, WEIGHTS, ["datasets.kdef: <not> there"])
    content = (tmp_path / "a.html").read_bytes()
    assert content == (tmp_path / "b.html").read_bytes()
    assert b"<li>datasets.kdef: &lt;not&gt; there</li>" in content


def test_page_is_not_written_from_a_broken_file(tmp_path, files):
    *_, geometry = files
    geometry[0].write_bytes(b"no HDF5")
    with pytest.raises(FacestagesError, match="seed-1.h5: is truncated or damaged"):
        describe_run(tmp_path / "run.html", CONFIG, *files, WEIGHTS)
    assert not (tmp_path / "run.html").exists()


def test_all_pinned_packages_are_named():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    pinned = [*project["dependencies"]]
    pinned += [one for extra in ("cpu", "gpu", "jax", "zoo") for one in optional[extra]]
    assert {re.split(r"[=\[]", requirement)[0] for requirement in pinned} == set(PACKAGES)


def test_versions_leave_out_what_is_not_installed(monkeypatch):
    monkeypatch.setattr(report, "PACKAGES", ("h5py", "no-such-package"))
    versions = report.installed_versions()
    assert list(versions) == ["python", "facestages", "h5py"]
    assert versions["facestages"] == __version__
    assert versions["h5py"] == metadata.version("h5py")


def test_a_face_set_of_unknown_people(tmp_path):
    labels = pd.DataFrame({"stimulus_id": ["a", "b"], "expression": ["happy", "sad"]})
    faces = StimulusSet(np.zeros((2, 4, 4), np.uint8), labels, {"expression": "file"})
    write_stimuli(tmp_path / "wild.h5", faces, "wild")
    files = [tmp_path / "wild.h5"], [tmp_path / "wild.labels.h5"], []
    describe_run(tmp_path / "run.html", CONFIG, *files, WEIGHTS)
    page = (tmp_path / "run.html").read_text()
    assert ["wild", "wild", "2", "not known", "no"] in [row[:5] for row in rows(page)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A run that has drawn its figure."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "plot.py").touch()
    (tmp_path / "plot.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (tmp_path / "report.css").write_text(".grow { color: #123456; }")
    return tmp_path


def write(config, targets=("plot.svg",)):
    return write_report("results/report.html", "Snakefile", config, targets, "report.css")


def test_report_has_results_config_and_style(folder):
    write({"title": 'An "Ä" title'})
    page = (folder / "results/report.html").read_text(encoding="utf-8")
    assert r"An \"\u00c4\" title" in page
    assert "data:image/svg+xml" in page and "color: #123456" in page


def test_no_text_ends_the_script_that_holds_it(folder):
    label = "</script><script>hacked = 1</script><!-- <script>"
    write({"title": label})
    page = (folder / "results/report.html").read_text(encoding="utf-8")
    data = re.search(r'<script id="results">\s*var results = (.*);\n', page)[1]
    assert json.loads(data)["plot.svg"]["labels"] == {"figure": label}
    assert "<" not in data and "hacked" not in page.replace(data, "")


def test_a_failure_says_why_and_leaves_the_old_report(folder):
    (folder / "results").mkdir()
    (folder / "results/report.html").write_text("old")
    with pytest.raises(FacestagesError, match="report.html: .* failed:\nKeyError"):
        write({"other": 1})
    with pytest.raises(FacestagesError, match="no-such-file"):
        write({"title": "T"}, ["no-such-file"])
    assert (folder / "results/report.html").read_text() == "old"
    assert [path.name for path in (folder / "results").iterdir()] == ["report.html"]
