"""Progress of long work: a bar on a terminal, otherwise one line a minute in the log."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

logger = logging.getLogger("facestages.progress")

Item = TypeVar("Item")
_SECONDS_BETWEEN_LINES = 60.0


def progress(items: Iterable[Item], what: str, total: int | None = None) -> Iterator[Item]:
    """Yield items and show how many of `total` are done, under the name `what` of the work."""
    if sys.stderr.isatty():
        yield from tqdm(items, desc=what, total=total, leave=False)
        return
    total = len(items) if total is None else total
    begin = last_line = time.monotonic()
    for done, item in enumerate(items):
        now = time.monotonic()
        if done and now - last_line >= _SECONDS_BETWEEN_LINES:
            left = (total - done) * (now - begin) / done
            logger.info("%s: %d of %d, about %.0f s left", what, done, total, left)
            last_line = now
        yield item
