"""Every run and every job of a cluster reads the workflow first: that must not take long."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from snakemake.cli import get_argument_parser
from snakemake.settings.types import MaxJobsPerTimespan

from empty_sets import write_empty_sets
from workflow_runner import REPOSITORY, jobs, run_snakemake

# Each takes more than 50 ms to import, some several seconds, and no look-up needs them.
HEAVY = (
    "cv2", "h5netcdf", "h5py", "jax", "keras", "matplotlib", "numba", "numpy", "onnxruntime",
    "pandas", "scipy", "seaborn", "sklearn", "tensorflow", "torch", "umap", "xarray",
)  # fmt: skip

# Snakemake without its plug-ins for clusters, one of which imports pandas.
WITHOUT_HEAVY = f"""
import pkgutil, sys
for name in {HEAVY!r}:
    sys.modules[name] = None
all_modules = pkgutil.iter_modules
pkgutil.iter_modules = lambda *where: (
    module for module in all_modules(*where)
    if not module.name.startswith("snakemake_executor_plugin_")
)
from snakemake.cli import main
main(sys.argv[1:])
"""

SEEDS = 13


@pytest.fixture(scope="module")
def paper(tmp_path_factory) -> Path:
    """The paper's config with all layers of all networks and many seeds, and empty files in the
    places of all that it is made from."""
    folder = tmp_path_factory.mktemp("paper")
    config = yaml.safe_load((REPOSITORY / "config" / "paper.yaml").read_text())
    for network in config["networks"].values():
        network["layers"] = ["*"]
        if network.get("weights") in ("train", "untrained"):
            network["seeds"] = list(range(SEEDS))
    fig4 = config["figures"]["fig4"]
    fig4["networks"] = [n for n, entry in config["networks"].items() if len(entry["stages"]) > 1]
    fig4["datasets"] = ["disfa_women", "disfa", "kdef"]
    (folder / "config.yaml").write_text(yaml.safe_dump(config))

    write_empty_sets(folder)
    return folder


def dry_run(folder: Path, *start: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *start, "--dry-run", "--snakefile", str(REPOSITORY / "Snakefile")]
    command += ["--directory", str(folder), "--configfile", str(folder / "config.yaml")]
    return subprocess.run(command, capture_output=True, text=True)


def test_nothing_heavy_is_imported(paper):
    done = dry_run(paper, "-c", WITHOUT_HEAVY)
    assert done.returncode == 0, done.stderr
    jobs = dict(line.split() for line in _job_table(done.stdout))
    # All layers of all networks and seeds on all face sets, so that every look-up was asked.
    assert int(jobs["score_separability"]) > 200 and int(jobs["total"]) > 900
    assert {"train_network", "extract_frames", "explain_gradcam", "make_report"} <= set(jobs)
    assert "left out" not in done.stderr


def _job_table(text: str) -> list[str]:
    rows = text.partition("Job stats:")[2].strip().partition("\n\n")[0].splitlines()
    return [row for row in rows[2:] if row.strip()]


def at(folder: Path) -> list[str]:
    return ["--snakefile", str(folder / "Snakefile")]


def processor_seconds(*command: str) -> float:
    """Time of all processors for a command, the least of two runs: others may keep them busy."""
    least = float("inf")
    for _ in range(2):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        least = min(least, used)
    return least


# As many jobs as `paper` has, about, and nothing to look up.
BARE = """
rule all:
    input: expand("c/{i}", i=range(500))
rule a:
    output: "a/{i}"
    log: "logs/a/{i}"
    shell: "touch {output}"
rule b:
    input: "a/{i}"
    output: "b/{i}"
    log: "logs/b/{i}"
    shell: "touch {output}"
rule c:
    input: "b/{i}"
    output: "c/{i}"
    log: "logs/c/{i}"
    shell: "touch {output}"
"""


def test_a_dry_run_of_everything_takes_seconds(paper, tmp_path):
    (tmp_path / "Snakefile").write_text(BARE)
    snakemake = [sys.executable, "-m", "snakemake", "--dry-run"]
    bare = processor_seconds(*snakemake, "--directory", str(tmp_path), *at(tmp_path))
    options = ["--directory", str(paper), "--configfile", str(paper / "config.yaml")]
    whole = processor_seconds(*snakemake, *at(REPOSITORY), *options)
    # About 2.2 times as long; much more, and a look-up grows with the square of the jobs.
    assert whole < 3 * bare, f"{whole:.1f} s, Snakemake alone with as many jobs {bare:.1f} s"
    assert whole < 30
    # The code of all scripts was parsed once, not at every start.
    assert len(json.loads((paper / ".snakemake" / "code_digests.json").read_text())) > 50


@pytest.mark.parametrize(("given", "is_kept"), [(None, False), ("5/1s", True), ("100/1m", True)])
def test_snakemakes_own_limit_of_jobs_is_lifted(given, is_kept):
    """Its timers add up; a limit that the user sets stays."""
    limit = given or get_argument_parser().get_default("max_jobs_per_timespan")
    rules = (REPOSITORY / "workflow" / "rules" / "handlers.smk").read_text()
    (function,) = re.findall(r"^def lift_rate_limit.*?(?=\n\n\n)", rules, re.DOTALL | re.MULTILINE)
    settings = SimpleNamespace(max_jobs_per_timespan=MaxJobsPerTimespan.parse_choice(limit))
    scheduler = SimpleNamespace(job_rate_limiter=limit)
    names = {"workflow": SimpleNamespace(scheduling_settings=settings, scheduler=scheduler)}
    exec(function, names)
    names["lift_rate_limit"]()
    assert scheduler.job_rate_limiter == (limit if is_kept else None)


def own_config(folder: Path, name: str, **changes) -> Path:
    path = folder / name
    config = yaml.safe_load((REPOSITORY / "tests" / "workflow" / "tiny.yaml").read_text())
    path.write_text(yaml.safe_dump({**config, **changes}))
    return path


@pytest.mark.parametrize(
    ("name", "changes", "results"),
    [
        ("mine.yaml", {}, "results/mine"),
        ("my faces {1}.yaml", {}, "results/my_faces_1_"),
        ("config.yaml", {}, "results"),
        ("mine.yaml", {"pathvars": {"logs": "logs/mine"}}, "results/mine"),
        ("mine.yaml", {"pathvars": {"results": "elsewhere"}}, "elsewhere"),
    ],
)
def test_each_config_has_a_folder_of_results(tmp_path, name, changes, results):
    config = own_config(tmp_path, name, **changes)
    wanted = f"{results}/figures/fig1.pdf"
    assert jobs(run_snakemake(tmp_path, config, wanted, "--dry-run"))["plot_fig1"] == 1


def test_a_figure_of_another_config_is_named(tmp_path):
    config = own_config(tmp_path, "mine.yaml")
    done = run_snakemake(tmp_path, config, "results/figures/fig1.pdf", "--dry-run")
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith(
        "results/figures/fig1.pdf: the results of this config are in results/mine/. Ask for "
        "results/mine/figures/fig1.pdf"
    )
