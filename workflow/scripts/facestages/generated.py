"""Files that are generated from others: ``python -m facestages.generated`` writes them.

A test compares them with what stands in the repository, so that none drifts.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from facestages import config
from facestages.files import atomic_path

# What the jobs of each environment import, beyond what Snakemake itself needs.
_COMMON = ("h5py", "numpy", "pandas", "pillow", "pydantic", "pyyaml", "scikit-learn", "tqdm")
_ENVIRONMENTS = {
    "analysis": (
        *(*_COMMON, "matplotlib", "numba", "opencv-python-headless", "scipy", "seaborn"),
        *("statsmodels", "umap-learn"),
    ),
    "tensorflow": (*_COMMON, "keras", "tensorflow-cpu"),
    "torch": (*_COMMON, "keras", "torch"),
    "jax": (*_COMMON, "keras", "jax"),
}

_INTRODUCTION = """\
# The config, key by key

Generated from `facestages.config` by `make docs`; do not edit. `config/config.yaml` is the default
run. A file given with `--configfile` replaces it: nothing is merged. A key that is not listed here
is refused before anything runs, with the nearest known name.
"""


def generated_files(root: Path) -> dict[Path, str]:
    """Text of every generated file, by path below the repository's folder."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    files = {
        Path("workflow/schemas/config.schema.json"): config_schema(),
        Path("config/README.md"): config_reference(),
    }
    for name in _ENVIRONMENTS:
        files[Path(f"envs/{name}.yaml")] = environment(name, project)
    return files


def environment(name: str, project: dict) -> str:
    """A conda environment file with the versions of ``pyproject.toml``."""
    pins = {}
    optional = project["optional-dependencies"]
    for requirement in project["dependencies"] + optional["cpu"] + optional["jax"]:
        pins[re.split(r"[=\[]", requirement)[0]] = requirement
    lines = [
        "# Generated from pyproject.toml by `make docs`; do not edit.",
        "channels: [conda-forge, nodefaults]",
        "dependencies:",
        "  - python=3.11",
        "  - pip",
        "  - pip:",
        *(f"      - {pins[package]}" for package in sorted(_ENVIRONMENTS[name])),
    ]
    return "\n".join(lines) + "\n"


def config_schema() -> str:
    """JSON schema of the config, for editors."""
    return json.dumps(config.Config.model_json_schema(), indent=2) + "\n"


def config_reference() -> str:
    """``config/README.md``: a section for each part of the config."""
    return "\n".join([_INTRODUCTION, *_sections()])


def _sections() -> Iterator[str]:
    seen: list[type[BaseModel]] = []
    waiting = [("", config.Config)]
    while waiting:
        path, model = waiting.pop(0)
        if model in seen:
            continue
        seen.append(model)
        where = f"`{path}`: " if path else ""
        yield f"## {where}{_headline(model)}\n\n{_one_line(model.__doc__)}\n"
        yield "| key | type | default | meaning |\n|---|---|---|---|"
        # What decides which section it is comes first, though a base class may have other keys.
        decides = ("source", "design")
        fields = sorted(model.model_fields.items(), key=lambda item: item[0] not in decides)
        for name, field in fields:
            cells = (f"`{name}`", _type(field.annotation), _default(field), _meaning(field))
            yield f"| {' | '.join(cells)} |"
            inner_path = f"{path}.{name}" if path else name
            if get_origin(field.annotation) is dict:
                inner_path += ".<name>"
            waiting += [(inner_path, inner) for inner in _models_in(field.annotation)]
        yield ""


def _headline(model: type[BaseModel]) -> str:
    """A few words for a section: its fixed values, else its name in words."""
    fixed = [
        value
        for field in model.model_fields.values()
        if field.is_required() and get_origin(field.annotation) is Literal
        for value in get_args(field.annotation)
        if len(get_args(field.annotation)) == 1
    ]
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", model.__name__).lower()
    return ", ".join(fixed) or words


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _type(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(inner[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"section *{_headline(annotation)}*"
    if origin is list:
        return f"list of {_type(inner[0])}"
    if origin is dict:
        return f"{_type(inner[1])} by name"
    if origin is not None and all(isinstance(value, str | int) for value in inner):
        return ", ".join(f"`{value}`" for value in inner)
    if origin is not None:
        return " or ".join(_type(part) for part in inner if part is not NoneType)
    names = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    return names[annotation]


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "needed"
    if isinstance(field.default, BaseModel):
        return "its defaults"
    return f"`{json.dumps(field.default)}`"


def _meaning(field: FieldInfo) -> str:
    return _one_line(field.description or "")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def main(root: Path) -> None:
    """Write every generated file."""
    for path, text in generated_files(root).items():
        with atomic_path(root / path) as partial:
            partial.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
