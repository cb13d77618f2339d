"""Files that are generated from others: ``python -m facestages.generated`` writes them.

A test compares them with what stands in the repository, so that none drifts.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import PydanticUndefined

from facestages import config
from facestages.files import atomic_path

# What the jobs of each environment import, beyond what Snakemake itself needs.
_COMMON = ("h5py", "numpy", "pandas", "pillow", "pydantic", "pyyaml", "scikit-learn", "tqdm")
_ENVIRONMENTS = {
    "analysis": (
        *(*_COMMON, "jinja2", "matplotlib", "numba", "opencv-python-headless", "scipy", "seaborn"),
        *("statsmodels", "umap-learn"),
    ),
    "tensorflow": (*_COMMON, "keras", "tensorflow-cpu"),
    "torch": (*_COMMON, "keras", "torch"),
    "zoo": (*_COMMON, "keras", "torch", "timm", "torchvision"),
    "jax": (*_COMMON, "keras", "jax"),
}

# A bar inside a cell of a table in Markdown.
_BAR = ("|", r"\|")

_WIDTH = 100

_INTRODUCTION = """\
# The config, key by key

Generated from `facestages.config` by `make generated`; do not edit.

`config/config.yaml` is the default run. A file given with `--configfile` replaces it: nothing is
merged. An unknown key is refused before anything runs, with its right place or the nearest key that
exists.

A path may begin with `~` and hold variables, such as `$HOME` or `${DATA}`. The command line
changes single keys for one run: `--config analysis='{permutations: 5}'`. A name or label that YAML
takes for a number, a date or yes and no needs quotes.

A figure names face sets and networks. One that is not there stops the run, with its line. Only
what lies below `resources/licensed/`, where the shipped configs look for data that not everybody
has, is left out of a figure then, and the figure says so.

A mistake in YAML is told with line and column, and so is a key that is given twice. But Snakemake
itself reads a file given with `--configfile`, and names no line where it is no YAML at all. This
names it, and says what else is wrong or missing: `make check CONFIG=my.yaml`.
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
    for requirement in project["dependencies"] + [
        p for e in ("cpu", "jax", "zoo") for p in optional[e]
    ]:
        pins[re.split(r"[=\[]", requirement)[0]] = requirement
    lines = [
        "# Generated from pyproject.toml by `make generated`; do not edit.",
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
    schema = config.Config.model_json_schema(schema_generator=_Untitled)
    return "\n".join(_json_lines(schema)) + "\n"


class _Untitled(GenerateJsonSchema):
    """A schema without titles, as pydantic repeats the name of each key as its title."""

    def field_title_should_be_set(self, schema) -> bool:
        return False

    def generate(self, schema, mode="validation") -> dict:
        whole = super().generate(schema, mode)
        for section in (whole, *whole["$defs"].values()):
            section.pop("title", None)
        return whole


def _json_lines(value: Any, before: str = "", after: str = "", indent: int = 0) -> Iterator[str]:
    """JSON with one line for every part that fits, so that a changed key is a changed line."""
    space, flat = " " * indent, json.dumps(value)
    if not isinstance(value, dict) or len(space + before + flat + after) <= _WIDTH:
        yield f"{space}{before}{flat}{after}"
        return
    yield f"{space}{before}{{"
    for number, (key, inner) in enumerate(value.items(), 1):
        comma = "," * (number < len(value))
        yield from _json_lines(inner, f"{json.dumps(key)}: ", comma, indent + 2)
    yield f"{space}}}{after}"


def config_reference() -> str:
    """``config/README.md``: a section for each part of the config."""
    return "\n".join([_INTRODUCTION, *_sections()])


def _sections() -> Iterator[str]:
    headings = _headings()
    for model, heading in headings.items():
        yield f"## {heading}\n\n{_one_line(model.__doc__)}\n"
        yield "| key | type | default | meaning |\n|---|---|---|---|"
        # The keys that choose the section come first, before those of its base classes.
        choosing = ("source", "design")
        fields = sorted(model.model_fields.items(), key=lambda item: item[0] not in choosing)
        for name, field in fields:
            meaning = _one_line(field.description or "")
            cells = (f"`{name}`", _type(field.annotation, headings), _default(field), meaning)
            yield f"| {' | '.join(cell.replace(*_BAR) for cell in cells)} |"
        yield ""


def _headings() -> dict[type[BaseModel], str]:
    """Heading of each section's model: its path, and its kind where a path has several."""
    headings = {config.Config: "Top level"}
    paths = [("", config.Config)]
    for path, model in paths:
        for name, field in model.model_fields.items():
            inner_path = f"{path}.{name}".lstrip(".")
            if get_origin(field.annotation) is dict:
                inner_path += ".<name>"
            models = list(_models_in(field.annotation))
            for inner in models:
                if inner not in headings:
                    kind = f": {_kind(inner)}" if len(models) > 1 else ""
                    headings[inner] = f"`{inner_path}`{kind}"
                    paths.append((inner_path, inner))
    return headings


def _kind(model: type[BaseModel]) -> str:
    """The values that choose a section among several: those of keys that allow one value only."""
    return " ".join(
        get_args(field.annotation)[0]
        for field in model.model_fields.values()
        if get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1
    )


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _type(annotation: Any, headings: Mapping[type[BaseModel], str]) -> str:
    """The type of a key in words, with links to sections: ``a``, ``a or b``, ``a, b or c``."""
    *words, last = _alternatives(annotation, headings)
    return f"{', '.join(words)} or {last}" if words else last


def _alternatives(annotation: Any, headings: Mapping[type[BaseModel], str]) -> Iterator[str]:
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation in headings:
        heading = headings[annotation]
        # As GitHub makes anchors of headings.
        anchor = re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        yield f"[{heading.partition(': ')[2] or 'section'}](#{anchor})"
    elif origin is Literal:
        yield from (f"`{value}`" for value in inner)
    elif origin is Annotated:
        yield from _alternatives(inner[0], headings)
    elif origin is list:
        yield f"list of {_type(inner[0], headings)}".replace("number", "numbers")
    elif origin is dict:
        yield f"for each name: {_type(inner[1], headings)}"
    elif origin is not None:
        for part in inner:
            yield from _alternatives(part, headings)
    elif annotation is not NoneType:
        names = {str: "text", int: "whole number", float: "number", bool: "true or false"}
        yield names[annotation]


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "needed"
    if isinstance(field.default, BaseModel):
        return "its defaults"
    return f"`{json.dumps(field.default)}`"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def main(root: Path) -> None:
    """Write every generated file."""
    for path, text in generated_files(root).items():
        with atomic_path(root / path) as partial:
            partial.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
