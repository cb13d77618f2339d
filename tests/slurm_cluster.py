"""A real SLURM of two nodes on this machine, all its files in one folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

NODES = ("node1", "node2")
PROGRAMS = ("slurmctld", "slurmd", "munged", "unshare")

# Two nodes on one host, told apart by their ports. A job that takes more memory than it asked for
# is killed; a node that does not answer for some seconds is down.
SLURM_CONF = """
ClusterName=facestages
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=1,sched_interval=2
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/jobs.txt
SlurmdTimeout=5
ReturnToService=2
NodeName=node1 NodeAddr=127.0.0.1 NodeHostname={host} Port={ports[1]} CPUs=1 RealMemory=16000
NodeName=node2 NodeAddr=127.0.0.1 NodeHostname={host} Port={ports[2]} CPUs=1 RealMemory=16000
PartitionName=short Nodes=node1,node2 Default=YES State=UP
"""
MUNGE_FILES = ("key-file", "socket", "pid-file", "log-file", "seed-file")


class Job(NamedTuple):
    """A job as SLURM noted it at its end; one that was begun again is noted each time."""

    number: int
    state: str
    node: str
    megabytes: int
    begin: str
    end: str


class Cluster(NamedTuple):
    """The running SLURM: where its files are, and the process that holds each node."""

    folder: Path
    nodes: dict[str, subprocess.Popen]

    def jobs(self) -> list[Job]:
        """All jobs that have ended, in that order."""
        keys = ("JobId", "JobState", "NodeList", "Tres", "StartTime", "EndTime")
        found = []
        for line in (self.folder / "jobs.txt").read_text().splitlines():
            entries = dict(word.split("=", 1) for word in line.split() if "=" in word)
            number, state, node, amounts, begin, end = (entries[key] for key in keys)
            memory = dict(amount.split("=") for amount in amounts.split(","))["mem"]
            unit = {"M": 1, "G": 1024}[memory[-1]]
            megabytes = round(float(memory[:-1]) * unit)
            found.append(Job(int(number), state, node, megabytes, begin[-8:], end[-8:]))
        return found

    def running(self, rule: str, seconds: int) -> tuple[str, str] | None:
        """Number and node of a rule's job that has run for so long, if there is one."""
        for line in ask("squeue", "-h", "-t", "RUNNING", "-o", "%i %N %M %k").splitlines():
            number, node, elapsed, comment = line.split()
            minutes, rest = map(int, elapsed.split(":")[-2:])
            if comment.startswith(f"rule_{rule}_") and minutes * 60 + rest >= seconds:
                return number, node
        return None

    def state(self, number: str) -> str:
        """State of a job, such as ``RUNNING``."""
        return ask("squeue", "-h", "--states=all", "-j", number, "-o", "%T").strip()

    def lose(self, node: str) -> None:
        """End a node's daemon and all that runs on the node, as if its power failed."""
        self.nodes[node].kill()
        self.nodes[node].wait()

    def add(self, node: str) -> None:
        """Start a node: processes and mounts of its own, and its own daemon."""
        # Jobs drop SLURM_CONF for their steps: on a node the file is where every SLURM has it.
        script = f"mount --bind {self.folder} /etc/slurm && slurmd -D -N {node} & wait"
        namespace = ["unshare", "--pid", "--mount", "--fork", "--mount-proc", "--kill-child"]
        self.nodes[node] = _start([*namespace, "sh", "-c", script], self.folder / f"{node}.out")

    def wait_for_nodes(self) -> None:
        """Until all nodes are there and have nothing to do."""
        wait_until(lambda: ask("sinfo", "-h", "-N", "-o", "%T").split() == ["idle"] * len(NODES))


def ask(*command: str) -> str:
    """What a command prints; nothing where it fails, as while the controller is starting."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def wait_until(happened: Callable[[], object], seconds: float = 180) -> object:
    """Ask twice a second until something is true, and return it."""
    end = time.monotonic() + seconds
    while not (result := happened()):
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.5)
    return result


def reason_to_skip() -> str | None:
    """Why no SLURM can be started here."""
    if missing := [program for program in PROGRAMS if not shutil.which(program)]:
        return f"no {missing[0]} here: apt-get install slurm-wlm munge"
    if os.geteuid() != 0:
        return "only root may start a SLURM"
    if not Path("/etc/slurm").is_dir():
        return "no folder /etc/slurm"
    probe = subprocess.run(["unshare", "--pid", "--mount", "--fork", "true"], check=False)
    return "processes may have no namespace of their own here" if probe.returncode else None


@contextlib.contextmanager
def run_slurm(folder: Path) -> Iterator[Cluster]:
    """A controller and two nodes of one core each, for as long as the block lasts.

    ``SLURM_CONF`` must name ``slurm.conf`` in `folder` in the environment of whoever asks it.
    """
    (folder / "state").mkdir()
    key = folder / "munge.key-file"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    host = socket.gethostname().partition(".")[0]
    text = SLURM_CONF.format(host=host, folder=folder, ports=_free_ports(3))
    (folder / "slurm.conf").write_text(text)
    munge = [f"--{name}={folder}/munge.{name}" for name in MUNGE_FILES]
    cluster = Cluster(folder, {})
    with contextlib.ExitStack() as stack:
        stack.enter_context(_daemon(["munged", "--foreground", "--force", *munge], folder))
        wait_until((folder / "munge.socket").exists)
        stack.enter_context(_daemon(["slurmctld", "-D"], folder))
        stack.callback(lambda: [cluster.lose(node) for node in cluster.nodes])
        for node in NODES:
            cluster.add(node)
        cluster.wait_for_nodes()
        yield cluster


@contextlib.contextmanager
def _daemon(command: list[str], folder: Path) -> Iterator[None]:
    process = _start(command, folder / f"{command[0]}.out")
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _start(command: list[str], output: Path) -> subprocess.Popen:
    """Start a program that goes on by itself, its words in a file."""
    with output.open("ab") as stream:
        return subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)


def _free_ports(n: int) -> list[int]:
    """Ports that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
