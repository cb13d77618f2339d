"""One run of a small config on a SLURM that loses a node, and one without any cluster."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from slurm_cluster import Cluster, ask, reason_to_skip, run_slurm, wait_until
from workflow_runner import REPOSITORY, link_downloads, run_snakemake


class Run(NamedTuple):
    """A finished run: its folder, what Snakemake said, how long it took."""

    folder: Path
    log: str
    seconds: float

    def slurm_numbers(self) -> dict[str, list[int]]:
        """Numbers of the SLURM jobs of each rule or group."""
        pattern = r"SLURM jobid (\d+) \(log: \S*/slurm_logs/(?:rule|group)_([^/]+)/"
        found: dict[str, list[int]] = {}
        for number, name in re.findall(pattern, self.log):
            found.setdefault(name, []).append(int(number))
        return found


class LostNode(NamedTuple):
    """A node that was lost in mid-run, and the job on it."""

    node: str
    number: int


@pytest.fixture(scope="session")
def slurm(tmp_path_factory) -> Iterator[Cluster]:
    """A controller and two nodes, each of one core."""
    if reason := reason_to_skip():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("slurm")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SLURM_CONF", str(folder / "slurm.conf"))
        with run_slurm(folder) as cluster:
            yield cluster


@pytest.fixture(scope="session")
def config() -> dict:
    """Of the tiny config the films, and NN1, which is trained, untrained networks, and pixels."""
    tiny = yaml.safe_load((REPOSITORY / "tests/workflow/tiny.yaml").read_text())
    networks = ["nn1", "nn3", "pixels"]
    return {
        "datasets": {name: tiny["datasets"][name] for name in ("wild", "video")},
        "networks": {name: tiny["networks"][name] | {"seeds": [0]} for name in networks},
        "analysis": tiny["analysis"],
        "figures": {
            "fig4": {"datasets": ["video"], "networks": networks},
            "fig8": {"dataset": "video", "networks": networks[:2]},
        },
    }


@pytest.fixture(scope="session")
def profile(tmp_path_factory) -> Path:
    """The shipped profile, its partition named as docs/how-to/cluster.md says."""
    folder = tmp_path_factory.mktemp("profile") / "slurm"
    shutil.copytree(REPOSITORY / "profiles" / "slurm", folder)
    file = folder / "profile.yaml"
    text, line = file.read_text(), "  # slurm_partition: \"'standard'\""
    assert line in text
    file.write_text(text.replace(line, "  slurm_partition: \"'short'\""))
    return folder


@pytest.fixture(scope="session")
def submit(config, profile) -> Callable[..., Run]:
    """A function that runs a target in a folder through SLURM."""
    # There is no accounting here, so squeue is asked; and often, as these jobs are short. Nodes
    # have one core, so what wants more would be refused.
    options = ["--workflow-profile", str(profile), "--latency-wait", "5"]
    options += ["--cores", "4", "--max-threads", "1"]
    options += ["--slurm-status-command", "squeue", "--slurm-no-account"]
    options += ["--slurm-init-seconds-before-status-checks", "1"]

    def run(folder: Path, target: str, *further: str, status: int = 0, before=None) -> Run:
        begin = time.monotonic()
        result = run_snakemake(folder, config, target, *further, *options, before=before)
        log = result.stdout + result.stderr
        assert result.returncode == status, log
        return Run(folder, log, time.monotonic() - begin)

    return run


@pytest.fixture(scope="session")
def local_run(slurm, config, tmp_path_factory) -> Run:
    """The small config without a cluster."""
    folder = tmp_path_factory.mktemp("local")
    link_downloads(folder)
    begin = time.monotonic()
    result = run_snakemake(folder, config, "all")
    assert result.returncode == 0, result.stderr
    return Run(folder, result.stderr, time.monotonic() - begin)


@pytest.fixture(scope="session")
def cluster_run(slurm, submit, tmp_path_factory) -> tuple[Run, LostNode]:
    """The small config through SLURM, which loses a node while it records a network."""
    folder = tmp_path_factory.mktemp("cluster")
    link_downloads(folder)
    with ThreadPoolExecutor() as pool:
        future = pool.submit(submit, folder, "all")
        wait_until(lambda: future.done() or slurm.running("record_activations", 4), 300)
        assert not future.done(), future.result().log
        number, node = slurm.running("record_activations", 4)
        slurm.lose(node)
        lost = LostNode(node, int(number))
        wait_until(lambda: slurm.state(number) == "PENDING")
        # SLURM lets a job of a lost node wait for two minutes more; tests do not.
        ask("scontrol", "update", f"JobId={number}", "StartTime=now")
        wait_until(lambda: slurm.state(number) not in ("PENDING", "CONFIGURING"))
        slurm.add(node)
        return future.result(), lost
