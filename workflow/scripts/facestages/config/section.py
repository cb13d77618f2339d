"""What all sections of the config share: base model, checks of names, messages of mistakes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from facestages.errors import did_you_mean
from facestages.text import line_problem

NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"
Name = Annotated[str, Field(pattern=NAME)]
Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(gt=0)]

#: Names that earlier versions had, and their names now.
RENAMED = {"identity": "middle"}


class Section(BaseModel):
    """A part of the config. An unknown key is an error that names the nearest known one."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys_only(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            for key in data:
                if key not in cls.model_fields:
                    hint = did_you_mean(key, cls.model_fields)
                    raise mistake("unknown_key", f"unknown key '{key}': {hint}")
        return data

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


def mistake(kind: str, text: str) -> PydanticCustomError:
    """An error for `describe`: ``unknown_key``, or ``key`` with the rest of its path in `text`."""
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


def describe(error: ValidationError, config: Any) -> Iterator[str]:
    """One line for each mistake.

    pydantic tries every member of a union and reports each failure; the line tells the one that
    explains most.
    """
    by_path: dict[tuple, Any] = {}
    for item in error.errors():
        path = _user_path(item, config)
        if path not in by_path or _explains_more(item, by_path[path]):
            by_path[path] = item
    for path, item in by_path.items():
        where = "config: " + (".".join(map(str, path)) or "top level")
        context = item.get("ctx", {})
        if item["type"] == "unknown_key":
            yield f"{where}: {item['msg']}"
        elif item["type"] == "key":
            yield "config: " + ".".join([*map(str, path), item["msg"]])
        elif item["type"] == "value_error":
            yield f"{where}: {context['error']}"
        elif item["type"] == "missing":
            yield f"{where}: this key is missing; config/README.md explains every key"
        elif item["type"] in ("literal_error", "union_tag_invalid"):
            yield _describe_choice(where, item, context)
        elif item["type"] == "union_tag_not_found":
            key = context["discriminator"].strip("'")
            yield f"{where}: the key '{key}' is missing"
        else:
            message = item["msg"][0].lower() + item["msg"][1:]
            value = repr(item["input"])
            yield f"{where} = {value if len(value) < 80 else value[:76] + ' ...'}: {message}"


def _explains_more(item: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether `item` fits better what the user wrote: a section, or a key that does not exist."""
    if other["type"] == "literal_error":
        return isinstance(item["input"], Mapping)
    return item["type"] == "unknown_key" != other["type"]


def _describe_choice(where: str, item: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    if item["type"] == "literal_error":
        value, expected = item["input"], context["expected"].replace(" or ", ", ")
    else:
        value, expected = context["tag"], context["expected_tags"]
        where += "." + context["discriminator"].strip("'")
    allowed = [name.strip().strip("'") for name in expected.split(",")]
    return f"{where} = {value!r}: {did_you_mean(value, allowed)}"


def _user_path(item: Mapping[str, Any], config: Any) -> tuple:
    """The keys as the user wrote them: pydantic also names the tried member of a union."""
    path, node, members = [], config, set()
    for part in item["loc"]:
        if part in members:
            # Skipped once only: the member `table` of face sets has a key `table` too.
            members = members - {part}
            continue
        if isinstance(node, Mapping) and part not in node and part in _torch_section(node):
            # The user wrote it inside `torch`; it is checked as a key of the network.
            path.append("torch")
            node = node["torch"]
        if isinstance(node, Mapping) and part in node:
            node, members = node[part], _chosen_members(node[part])
        elif isinstance(node, list) and isinstance(part, int):
            node = node[part]
        elif not (item["type"] == "missing" and part == item["loc"][-1]):
            continue
        path.append(part)
    return tuple(path)


def _torch_section(node: Mapping) -> Mapping:
    section = node.get("torch")
    return section if isinstance(section, Mapping) else {}


def _chosen_members(node: Any) -> set[str]:
    """Members of unions that a section of the config chooses by its discriminating keys."""
    chosen = [node.get(key) for key in ("source", "design")] if isinstance(node, Mapping) else []
    return {name for name in chosen if isinstance(name, str)}
