"""Jobs that outlive their killed Snakemake, and two runs in one results folder."""

import os
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import pandas as pd
import pytest

from facestages.stimuli import read_stimuli
from workflow_runner import snakemake_command

STIMULI = "results/stimuli/own.h5"
SCORES = "results/separability/own/pixels/seed-0.csv"


class Run:
    """A run whose job is stopped when it starts or has begun to write a target, to go on later."""

    def __init__(self, workspace, target, stack, stop):
        command = snakemake_command(workspace.folder, workspace.config, target)
        self.target, self.folder = workspace.folder / target, workspace.folder
        before = self._partials()
        # No pipe, which would stay open as long as the job lives.
        self.output = stack.enter_context(tempfile.TemporaryFile("w+"))
        self.process = subprocess.Popen(command, stdout=self.output, stderr=self.output)
        stack.callback(self._end)
        self.job = None
        while self.job is None:
            assert self.process.poll() is None, self._text()
            if stop == "starting" or self._partials() - before:
                self.job = self._find_job()
            time.sleep(0.005)
        os.kill(self.job, signal.SIGSTOP)

    def _partials(self):
        return set(self.target.parent.glob(f".partial-*-{self.target.name}"))

    def _find_job(self):
        """The process of the run's one job, a script that Snakemake has started; None without."""
        for place in Path("/proc").glob("[0-9]*"):
            try:
                program, *arguments = (place / "cmdline").read_bytes().split(b"\0")
                parent = (place / "stat").read_text().rpartition(")")[2].split()[1]
            except OSError:
                continue
            is_script = any(b"/.snakemake/scripts/" in argument for argument in arguments)
            if parent == str(self.process.pid) and is_script and b"python" in program:
                return int(place.name)
        return None

    def kill_snakemake(self):
        self.process.kill()
        self.process.wait()

    def finish_job(self):
        """Let the job go on, and wait for its end."""
        os.kill(self.job, signal.SIGCONT)
        while _is_alive(self.job):
            time.sleep(0.02)

    def finish(self):
        """Let the run go on to its end; return its status and output."""
        os.kill(self.job, signal.SIGCONT)
        return self.process.wait(), self._text()

    def _text(self):
        self.output.seek(0)
        return self.output.read()

    def _end(self):
        self.kill_snakemake()
        if self.job and _is_alive(self.job):
            os.kill(self.job, signal.SIGKILL)


def _is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def start(workspace):
    """A function that starts a run and stops its job."""
    with ExitStack() as stack:

        def begin(target, size, components, stop="writing"):
            workspace.config["datasets"]["own"]["size"] = size
            workspace.config["analysis"]["components"] = [2, components]
            return Run(workspace, target, stack, stop)

        yield begin


def value_of(path):
    """What a result was made with: the size of pictures, or the number of components."""
    if path.suffix == ".h5":
        return read_stimuli(path).images.shape[1]
    (number,) = set(pd.read_csv(path, dtype=str)["components"]) & {"3", "4"}
    return int(number)


@pytest.mark.parametrize(
    ("target", "stop", "order"),
    [
        *((STIMULI, "writing", order) for order in ("before", "during", "after")),
        *((STIMULI, "starting", order) for order in ("during", "after")),
        *((SCORES, "writing", order) for order in ("during", "after")),
    ],
)
def test_a_job_that_outlives_its_run(workspace, start, target, stop, order):
    """Whenever it ends, the result is that of the run that began last."""
    old = start(target, size=20, components=4, stop=stop)
    old.kill_snakemake()
    assert workspace.run("--unlock").returncode == 0
    if order == "before":
        old.finish_job()
    new = start(target, size=24, components=3)
    if order == "during":
        old.finish_job()
    status, text = new.finish()
    assert status == 0, text
    if order == "after":
        old.finish_job()
    result = workspace.folder / target
    assert value_of(result) == (24 if target == STIMULI else 3)
    assert not list(workspace.folder.rglob(".partial-*"))


def test_two_runs_in_one_results_folder(workspace, start, tmp_path):
    """Snakemake sees no other run from another working directory."""
    first = start(STIMULI, size=20, components=4)
    workspace.config["pathvars"] = {"results": str(workspace.folder / "results")}
    workspace.config["datasets"]["own"]["table"] = str(workspace.folder / "own" / "faces.csv")
    (tmp_path / "elsewhere").mkdir()
    (workspace.folder / SCORES).unlink()
    target = str(workspace.folder / SCORES)
    command = snakemake_command(tmp_path / "elsewhere", workspace.config, target)
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode == 1
    last = second.stderr.rstrip().splitlines()[-1]
    assert last.startswith(f"another run works in {workspace.folder / 'results'} ("), last
    assert f"process {first.process.pid}, started in {workspace.folder})" in last
    status, text = first.finish()
    assert status == 0, text
    assert value_of(workspace.folder / STIMULI) == 20
