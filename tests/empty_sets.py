"""Empty files in the places where the paper's config looks for its face sets: enough to plan."""

from __future__ import annotations

import os
from pathlib import Path

from disfa_files import label_path, video_path
from facestages.action_units import DISFA_UNITS
from facestages.disfa_files import OFFICIAL_SUBJECTS
from facestages.expressions import EXPRESSIONS

# Params hold a digest of a user's files, their times included.
_TIME = 1_000_000_000


def write_empty_sets(folder: Path) -> None:
    """Write FER2013, KDEF, DISFA and OASIS below ``folder/resources/licensed``, all of one time."""
    licensed = folder / "resources" / "licensed"
    sexes = [
        f"{subject},{'female' if number < 12 else 'male'}\n"
        for number, subject in enumerate(OFFICIAL_SUBJECTS)
    ]
    files = {
        licensed / "fer2013.csv": "emotion,pixels,Usage\n",
        licensed / "OASIS.csv": "Theme\n",
        licensed / "disfa.csv": "".join(["subject,sex\n", *sexes]),
    }
    for subject in OFFICIAL_SUBJECTS:
        files[video_path(licensed / "DISFA", subject)] = ""
        files |= {label_path(licensed / "DISFA", subject, unit): "" for unit in DISFA_UNITS}
    for person in range(70):
        for number in range(2 * len(EXPRESSIONS)):
            files[licensed / "KDEF" / f"A{person}" / f"{number}.JPG"] = ""
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (_TIME, _TIME))
