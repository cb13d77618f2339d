"""What every script of the workflow does around its one library call."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator

from facestages.errors import FacestagesError

_FORMAT = logging.Formatter("%(asctime)s %(levelname)s %(message)s", datefmt="%H:%M:%S")


@contextlib.contextmanager
def job(snakemake) -> Iterator[None]:
    """Log to the rule's log and the terminal; end with one clear line where something is wrong.

    Libraries are imported inside the block, so that they see the job's number of threads and a
    failing import is logged like any other error.

    Parameters
    ----------
    snakemake : snakemake.script.Snakemake
        The object that Snakemake gives to the script.
    """
    _set_environment(snakemake.threads)
    log_file = _LogFile(snakemake.log[0], mode="w", encoding="utf-8")
    log_file.setFormatter(_FORMAT)
    logger = logging.getLogger("facestages")
    logger.setLevel(logging.INFO)
    logger.addHandler(log_file)
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").addHandler(log_file)
    where = " ".join([snakemake.rule, *(f"{k}={v}" for k, v in snakemake.wildcards.items())])
    logger.info("%s", where)
    try:
        yield
    except FacestagesError as error:
        logger.error("%s", error)
        _say(f"error in {where}: {error}")
        sys.exit(1)
    except MemoryError:
        text = "out of memory. Run it on a machine with more, or lower the size in the config"
        logger.error(text)
        _say(f"error in {where}: {text}")
        sys.exit(1)
    except Exception as error:
        # Not foreseen: the whole traceback belongs in the log, one line on the terminal.
        logger.exception("unexpected error")
        _say(f"error in {where}: {type(error).__name__}: {error} (traceback in {snakemake.log[0]})")
        sys.exit(1)
    logger.info("done")


class _LogFile(logging.FileHandler):
    """A log whose disk may be full: what it cannot take is on the terminal, where it matters."""

    def handleError(self, record: logging.LogRecord) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


def _set_environment(threads: int) -> None:
    # Snakemake sets these for OpenMP and the BLAS libraries; TensorFlow and numba have their own.
    for variable in ("TF_NUM_INTRAOP_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ[variable] = str(threads)
    os.environ["TF_NUM_INTEROP_THREADS"] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
