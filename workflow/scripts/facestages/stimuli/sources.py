"""The sources that a face set can come from, by the names that the config gives them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

from facestages.disfa_files import missing_subjects
from facestages.stimuli import StimulusSet, read_parts, read_report, write_stimuli
from facestages.stimuli.pictures import PictureSource


def prepare_stimuli(
    out: str | os.PathLike,
    name: str,
    entry: Mapping,
    source: str | os.PathLike | list[str],
    detector: str | os.PathLike | None = None,
    threads: int = 1,
) -> None:
    """Make a face set as the config says, and write it.

    Parameters
    ----------
    out : path-like
        HDF5 file to write.
    name : str
        The face set's name in the config.
    entry : mapping
        Its entry there, with all defaults filled in.
    source : path-like or list of str
        The asset's folder for faces that an asset holds, the files of `extract_frames` for videos,
        else the user's file or folder.
    detector : path-like, optional
        Folder of the face detector, where faces are cropped.
    threads : int
        Number of threads.

    Raises
    ------
    FacestagesError
        If the source, or a picture in it, is not as described.
    """
    entry = dict(entry)
    kind = entry.pop("source")
    if kind == "rendered":
        parts = [_render(entry, source, threads)]
    elif kind == "fer2013":
        from facestages.stimuli.fer2013 import read_fer2013

        parts = [read_fer2013(**entry)]
    elif kind == "disfa":
        parts = _join_subjects([source] if isinstance(source, str) else sorted(source))
    else:
        from facestages.stimuli.crop import crop_pictures

        how = {key: entry[key] for key in ("size", "color", "crop")}
        listed = _list(kind, entry, source)
        parts = crop_pictures(listed, name=name, **how, detector=detector, threads=threads)
    write_stimuli(out, parts, name, _finish(entry))


def _list(kind: str, entry: Mapping, source: str | os.PathLike) -> PictureSource:
    """List the pictures of a folder."""
    if kind == "kdef":
        from facestages.stimuli.kdef import list_kdef

        listed = list_kdef(entry["path"], angles=entry["angles"], sessions=entry["sessions"])
    elif kind == "orl":
        from facestages.stimuli.orl import list_orl

        listed = list_orl(source)
    else:
        from facestages.stimuli.table import list_table

        listed = list_table(entry["table"], folder=entry["folder"], sources=entry["sources"])
    norms = entry.get("norms")
    return _add_norms(listed, norms) if norms else listed


def _add_norms(source: PictureSource, norms: str | os.PathLike) -> PictureSource:
    """Join human ratings by picture name."""
    import pandas as pd

    from facestages.stimuli.ratings import join_norms

    pictures = list(source.pictures)
    added, report = join_norms(pd.DataFrame([picture.labels for picture in pictures]), norms)
    rows = added.to_dict("records")
    return replace(
        source,
        pictures=[
            picture._replace(labels={**picture.labels, **row})
            for picture, row in zip(pictures, rows, strict=True)
        ],
        sources={**source.sources, **report["sources"]},
        report={**source.report, "norms": report},
    )


def _join_subjects(paths: list[str]) -> Iterator[StimulusSet]:
    """The frames of all people, one person after the other."""
    from facestages.stimuli.crop import thin_examples

    subjects = {_subject(path): read_report(path) for path in paths}
    lacking = missing_subjects(list(subjects))
    report = json.dumps({"subjects_not_taken": lacking, "subjects": subjects})
    for path in paths:
        for part in read_parts(path):
            attributes = {**part.attributes, "report": report}
            examples = thin_examples(part.examples, len(paths))
            yield replace(part, attributes=attributes, examples=examples)


def _subject(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def _finish(entry: Mapping):
    """What is done to all pictures together when they are there, or None."""
    crop = entry.get("crop")
    if not crop or (crop["histogram"], crop["mask"]) == ("none", "none"):
        return None
    from facestages.stimuli.luminance import normalise, oval

    mask = oval(entry["size"], crop["margin"]) if crop["mask"] == "oval" else None
    return partial(normalise, mask=mask, match=crop["histogram"] == "match")


def _render(entry: dict, folder: str | os.PathLike, threads: int) -> StimulusSet:
    from facestages.stimuli import rendered
    from facestages.stimuli.headmodel import load_head

    head = load_head(folder)
    draw = {
        "wild": rendered.render_wild,
        "posed": rendered.render_posed,
        "video": rendered.render_video,
    }[entry.pop("design")]
    return draw(head, **entry, threads=threads)
