"""Which pictures a sample takes, and which shard a picture belongs to: arithmetic alone.

Snakemake imports this module at the start of every run, so nothing heavy is imported here.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Sequence

from facestages.errors import FacestagesError


def sampling_step(pictures: Sequence[int], most: int) -> int:
    """The smallest k for which every k-th picture of each person makes at most `most` pictures.

    `pictures` are numbers, person by person.

    Raises
    ------
    FacestagesError
        If people would be left with one picture each, so that nobody could be told from others.
    """
    if sum(pictures) <= most:
        return 1
    if most < 2 * len(pictures):
        raise FacestagesError(
            f"a sample of {most} pictures of {len(pictures)} people leaves most of them with one "
            f"picture. Give analysis.most_pictures = {2 * len(pictures)} or more"
        )
    step = math.ceil(sum(pictures) / most)
    while sample_size(pictures, step) > most:
        step += 1
    return step


def sample_size(pictures: Sequence[int], step: int) -> int:
    """Number of pictures if every `step`-th of each person is taken."""
    return sum(math.ceil(each / step) for each in pictures)


def shard_of(name: str, shards: int) -> int:
    """Shard, 0 to ``shards - 1``, of a picture, or of the person of a video.

    It depends on the name alone, so that a new picture or person changes one shard alone. Numbered
    names (``SN001``) are dealt out in turn, other names by a checksum.
    """
    number = re.search(r"\d+$", name)
    return (int(number[0]) if number else zlib.crc32(name.encode())) % shards
