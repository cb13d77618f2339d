"""What all sections of the config share: base model, types of values, checks of names."""

from __future__ import annotations

import difflib
import os
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from facestages.errors import did_you_mean
from facestages.rows import tidy
from facestages.text import line_problem

NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"
Name = Annotated[str, Field(pattern=NAME)]
Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(gt=0)]

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|([A-Za-z_]\w*))")


def expand_path(path: str) -> str:
    """A path with a user's folder in place of ``~``, and with variables of the environment.

    A file whose name has a dollar sign is taken as it is, where it is there. Letters are composed
    or not as on the disk.

    Raises
    ------
    ValueError
        If there is no such user or variable.
    """

    def value_of(variable: re.Match) -> str:
        name = variable[1] or variable[2]
        if not os.environ.get(name):
            raise ValueError(
                f"'{path}': the environment has no variable '{name}'. Set it, or write the whole "
                f"path"
            )
        return os.environ[name]

    expanded = path if os.path.lexists(path) else _VARIABLE.sub(value_of, path)
    home = os.path.expanduser(expanded)
    if expanded.startswith("~") and home == expanded:
        raise ValueError(f"'{path}': there is no such user. Write the whole path")
    return home if home.isascii() else _as_on_disk(home)


def _as_on_disk(path: str) -> str:
    """A path with its letters composed (NFC) or not (NFD), as the disk has them."""
    found = ""
    for part in re.split("(?<=/)", path):
        forms = (part, *(unicodedata.normalize(form, part) for form in ("NFC", "NFD")))
        found += next((form for form in forms if os.path.lexists(found + form)), part)
    return found


#: Path of a file or folder: ``~``, ``~user``, ``$NAME`` and ``${NAME}`` are replaced.
UserPath = Annotated[str, AfterValidator(expand_path)]

#: Any name of a label: the user's table gives it.
Label = Annotated[str, Field(min_length=1), AfterValidator(tidy)]

#: Names that earlier versions had, and their names now.
RENAMED = {"identity": "middle"}


class Section(BaseModel):
    """A part of the config. An unknown key is an error that names the nearest known one."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known_keys_only(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        for key in data:
            if key not in cls.model_fields:
                near = difflib.get_close_matches(str(key), cls.model_fields, n=1, cutoff=0.8)
                hint = did_you_mean(key, cls.model_fields)
                context = {"key": str(key), "hint": hint, "is_near": bool(near)}
                raise PydanticCustomError("unknown_key", "unknown key", context)
        # As the command line says it, where all values are text.
        return {key: None if value == "null" else value for key, value in data.items()}

    @field_validator("*")
    @classmethod
    def _texts_are_lines(cls, value: Any) -> Any:
        items = value if isinstance(value, list) else [value]
        if isinstance(value, Mapping):
            items = [*value, *value.values()]
        for text in items:
            if isinstance(text, str) and (problem := line_problem(text)):
                raise ValueError(problem)
        return value


def as_text(value: Any) -> Any:
    """A number that stands for a word, such as the code of an expression, as text."""
    if isinstance(value, bool) or value is None:
        raise ValueError(f"YAML reads this word as {value}; write it in quotes")
    return str(value) if isinstance(value, int | float) else value


def mistake(kind: str, text: str) -> PydanticCustomError:
    """An error for `mistakes.describe`: a ``key``, with the rest of its path in `text`."""
    return PydanticCustomError(kind, "{text}", {"text": text})


def check_once(where: str, values: Sequence) -> None:
    """Refuse a list in which something occurs twice."""
    for value in values:
        if values.count(value) > 1:
            raise mistake("key", f"{where}: '{value}' occurs twice")


def check_name(where: str, name: object, what: str, defined: Collection) -> None:
    """Refuse a name that is not defined, with the nearest that is."""
    if name not in defined:
        raise mistake("key", f"{where} = '{name}': no such {what}; {did_you_mean(name, defined)}")


def check_stage(where: str, stage: str, stages: Collection[str], what: str = "stage") -> None:
    """As `check_name`, for a stage; a name of an earlier version is answered with the new one."""
    if stage in RENAMED and stage not in stages:
        raise mistake("key", f"{where} = '{stage}': {renamed(stage)}")
    check_name(where, stage, what, stages)


def renamed(stage: str) -> str:
    """Tell the new name of a stage that an earlier version named otherwise."""
    return f"this stage is called '{RENAMED[stage]}' now; write '{RENAMED[stage]}'"
