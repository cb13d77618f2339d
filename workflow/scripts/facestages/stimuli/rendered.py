"""Rendered faces: invented people who act expressions, drawn as by a camera."""

from __future__ import annotations

from collections.abc import Mapping

from facestages.stimuli import write_pictures
from facestages.stimuli.luminance import control_luminance
from facestages.stimuli.render.designs import render_posed, render_video, render_wild
from facestages.stimuli.render.head_model import load_head

_DESIGNS = {"wild": render_wild, "posed": render_posed, "video": render_video}
_NOT_OF_THE_DESIGN = ("source", "design", "histogram", "mask")


def prepare(out, name: str, entry: Mapping, *, source, detector, threads: int) -> None:
    """Make a face set for `stimuli.sources.prepare_stimuli`."""
    options = {key: value for key, value in entry.items() if key not in _NOT_OF_THE_DESIGN}
    faces = _DESIGNS[entry["design"]](load_head(source), **options, threads=threads)
    finish = control_luminance(entry["size"], entry["histogram"], entry["mask"])
    write_pictures(out, faces, name, finish)
