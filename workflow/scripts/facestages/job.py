"""What every script of the workflow does around its one library call."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from facestages import contents, notes, storage
from facestages.errors import FacestagesError, device_failure
from facestages.failures import name_job
from facestages.files import claim
from facestages.memory import peak_memory, require_memory, total_memory
from facestages.text import printable_lines


class _Format(logging.Formatter):
    """Entries that `failures` tells apart, with control characters of what they quote visible."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", datefmt="%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        return printable_lines(super().format(record))


@contextlib.contextmanager
def job(snakemake, *, side_by_side: bool = False) -> Iterator[None]:
    """Log to the rule's log and the terminal; end with one clear line where something is wrong.

    Every output gets a note of what it was made with. A job fails where an input is damaged, or
    where the user's files are not what they were when the run began.

    Libraries are imported inside the block, so that they see the job's number of threads and a
    failing import is logged like any other error.

    Parameters
    ----------
    snakemake : snakemake.script.Snakemake
        The object that Snakemake gives to the script.
    side_by_side : bool
        Threads of TensorFlow and PyTorch run several forward passes at once, one thread each,
        instead of the parts of one pass.
    """
    _set_environment(snakemake.threads, side_by_side)
    # A library's objects stay. Looking through all of them for garbage after every 700 new ones is
    # Python's default, and takes a fifth of the time in which TensorFlow starts.
    gc.set_threshold(50_000, 20, 20)
    log_file = _LogFile(snakemake.log[0], mode="w", encoding="utf-8")
    log_file.setFormatter(_Format())
    logger = logging.getLogger("facestages")
    logger.setLevel(logging.INFO)
    logger.addHandler(log_file)
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").addHandler(log_file)
    where = name_job(snakemake.rule, dict(snakemake.wildcards.items()))
    logger.info("%s", where)
    asked = snakemake.resources.get("mem_mb")
    given = snakemake.params.get("given", [])
    try:
        _refuse_another_library(snakemake.scriptdir)
        if asked is not None:
            require_memory(asked, total_memory())
        claim(snakemake.output)
        _begin_notes(snakemake, given)
        if not storage.is_used():
            claim(map(notes.beside, snakemake.output))
        _require_unchanged(given)
        yield
        _require_unchanged(given)
        _write_notes(snakemake.output)
    except FacestagesError as error:
        logger.error("%s", error)
        _say(f"error in {where}: {error}")
        sys.exit(1)
    except MemoryError:
        text = "out of memory. Ask for more (mem_mb), or lower the size in the config"
        logger.error(text)
        _say(f"error in {where}: {text}")
        sys.exit(1)
    except Exception as error:
        # Nobody foresaw this one: its whole traceback goes to the log, one line to the terminal.
        logger.exception("unexpected error")
        words = " ".join(str(error).split())[:300]
        text = f"{type(error).__name__}: {words} (traceback in {snakemake.log[0]})"
        text = str(device_failure("it stopped", error) or text)
        logger.error(text)
        _say(f"error in {where}: {text}")
        sys.exit(1)
    logger.info("done, peak memory %d MB, asked for %s MB", peak_memory(), asked)


def let_jobs_import(folder: str) -> None:
    """Let the jobs of this process look for modules in a folder first, before what is installed."""
    others = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([folder, *others]))


def _refuse_another_library(scripts: str) -> None:
    """Stop if Python imports another library than that beside the scripts, which params digest."""
    beside, imported = Path(os.path.normpath(scripts), "facestages"), Path(__file__).parent
    if beside.is_dir() and not beside.samefile(imported):
        raise FacestagesError(
            f"Python takes the library from {imported}, not from {beside}, as these rules "
            f"expect. Uninstall that package, or install this one in its place: pip install -e"
        )


def _begin_notes(snakemake, given: Sequence[Sequence]) -> None:
    """Set the note of the outputs, and refuse inputs that are not what their notes say."""
    inputs = {path: notes.read(path) for path in map(str, snakemake.input)}
    for path in inputs:
        # HDF5 files are checked when they are opened.
        if not notes.is_hdf5(path):
            notes.require_intact(path, contents.digest_content)
    for path in map(str, snakemake.output):
        notes.beside(path).unlink(missing_ok=True)
    made = notes.digest_job(
        dict(snakemake.wildcards.items()),
        dict(snakemake.params.items()),
        {path: note.get("made") for path, note in inputs.items()},
    )
    digests = {notes.digest_key(kind, arguments): found for kind, arguments, found in given}
    notes.begin({"made": made, "given": digests})


def _require_unchanged(given: Sequence[Sequence]) -> None:
    """Refuse to go on where the user's files are not those that the run was told."""
    for kind, arguments, expected in given:
        path = arguments[0]
        if contents.digest_given(kind, *arguments) != expected:
            is_there = os.path.exists(path) or kind in ("module", "shipped")
            problem = (
                "changed during the run: run" if is_there else "is gone: bring it back and run"
            )
            raise FacestagesError(f"{path} {problem} the same command again")


def _write_notes(outputs: Sequence[str]) -> None:
    if storage.is_used():
        # A note beside a file would stay on this machine when the file goes to the bucket.
        return
    for path in map(str, outputs):
        if not notes.is_hdf5(path):
            notes.write_beside(path, contents.digest_content(path))


class _LogFile(logging.FileHandler):
    """A log that ignores a full disk: the terminal has the lines that matter."""

    def handleError(self, record: logging.LogRecord) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


def _set_environment(threads: int, side_by_side: bool) -> None:
    # Snakemake sets these for the BLAS libraries; PyTorch, TensorFlow and numba have their own.
    within, between = (1, threads) if side_by_side else (threads, 1)
    os.environ["NUMBA_NUM_THREADS"] = str(threads)
    os.environ["OMP_NUM_THREADS"] = os.environ["TF_NUM_INTRAOP_THREADS"] = str(within)
    os.environ["TF_NUM_INTEROP_THREADS"] = str(between)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Locks are not needed, as files get their names when complete, and some shared disks lack them.
    os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")


def _say(text: str) -> None:
    print(printable_lines(text), file=sys.stderr, flush=True)
