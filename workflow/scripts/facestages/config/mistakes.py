"""Mistakes in the config, told in the user's own words: one line each, with the right key."""

from __future__ import annotations

import contextlib
import copy
import difflib
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic import ValidationError

from facestages.config.section import Section
from facestages.errors import did_you_mean, shorten

# How pydantic says that something is no section.
_NO_SECTION = ("model_type", "dict_type", "model_attributes_type")

# Sections that hold a section for each name that a user gives.
_OF_NAMES = (("datasets",), ("networks",), ("ratings",), ("references",))

_NO_TEXT = "YAML takes this for a number, a date, or yes or no; put it in quotes"

# Truth values, as YAML writes them.
_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def read_texts(error: ValidationError, config: Mapping[str, Any]) -> dict[str, Any]:
    """The config with what texts say, where they are refused because something else is wanted.

    On the command line (``--config``) all values are text, and YAML takes 1e-3 for text.
    """
    read = copy.deepcopy(dict(config))
    for item in error.errors():
        *above, last = _user_path(item, config) or (None,)
        text = item["input"]
        if not isinstance(text, str) or item["type"].startswith("string"):
            continue
        node = read
        for part in above:
            node = node[part]
        # Not where a short form stands for what is refused.
        if node[last] == text:
            node[last] = _meaning(text)
    return read


def _meaning(text: str) -> bool | int | float | str:
    word = text.strip().lower()
    if word in _WORDS:
        return _WORDS[word]
    with contextlib.suppress(ValueError):
        return int(word)
    with contextlib.suppress(ValueError):
        number = float(word)
        return int(number) if number.is_integer() else number
    return text


def places_of(key: str, model: type[Section], above: str = "") -> list[str]:
    """Where a section and those in it have a key, e.g. ``["analysis.permutations"]``."""
    places = [above + key] if key in model.model_fields else []
    for name, field in model.model_fields.items():
        is_named = dict in map(get_origin, (field.annotation, *get_args(field.annotation)))
        inside = f"{above}{name}.{'NAME.' if is_named else ''}"
        for section in _sections_in(field.annotation):
            places += places_of(key, section, inside)
    return list(dict.fromkeys(places))


def _sections_in(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for part in get_args(annotation):
        yield from _sections_in(part)


def describe(error: ValidationError, config: Any, model: type[Section]) -> Iterator[str]:
    """One line for each mistake in a config of `model`.

    pydantic tries every member of a union and reports each failure; the line tells the one that
    explains most.
    """
    by_path: dict[tuple, Any] = {}
    for item in error.errors():
        path = _user_path(item, config)
        if path not in by_path or _explains_more(item, by_path[path]):
            by_path[path] = item
    for path, item in by_path.items():
        if item["type"] in ("literal_error", "string_type") and any(
            path == other[: len(path)] for other in by_path if other != path
        ):
            # It was a section or a list, with a mistake of its own.
            continue
        where = "config: " + (".".join(map(str, path)) or "top level")
        context = item.get("ctx", {})
        if path[:1] in _OF_NAMES and path[1:2] and path[1] in model.model_fields:
            yield f"config: '{path[1]}' stands within '{path[0]}': indent both alike"
        elif item["loc"][-1:] == ("[key]",):
            yield _describe_name(path, item)
        elif item["type"] == "unknown_key":
            yield f"{where}: unknown key '{context['key']}': {_right_place(path, item, model)}"
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
            near = difflib.get_close_matches(key, map(str, item["input"]), n=1)
            instead = f"; did you mean it by '{near[0]}'?" if near else ""
            yield f"{where}: the key '{key}' is missing{instead}"
        elif item["input"] is None and item["type"] in _NO_SECTION:
            yield f"{where}: this section is empty; fill it, or remove its line"
        elif item["type"] in _NO_SECTION:
            value = shorten(repr(item["input"]), 76)
            yield (
                f"{where} = {value}: must be a section of keys and values, 'key: value' each, with "
                f"a blank after the colon"
            )
        elif item["type"] == "string_type" and item["input"] is None:
            yield f"{where}: is empty; write a text, or remove the line"
        elif item["type"] == "string_type" and not isinstance(item["input"], Mapping | list | None):
            yield f"{where} = {item['input']}: {_NO_TEXT}"
        elif item["type"] == "list_type" and isinstance(item["input"], str | int | float):
            yield f"{where} = {item['input']!r}: must be a list; write [{item['input']}]"
        else:
            message = item["msg"][0].lower() + item["msg"][1:]
            if item["type"] == "too_short" and isinstance(item["input"], list):
                message = f"needs {context['min_length']} entries or more"
            value = repr(item["input"])
            yield f"{where} = {value if len(value) < 80 else value[:76] + ' ...'}: {message}"


def _describe_name(path: tuple, item: Mapping[str, Any]) -> str:
    """A mistake in the name of a face set, a network, a stage ..."""
    problem = _NO_TEXT
    if item["type"] == "string_pattern_mismatch":
        problem = "names are made of A to Z, digits, '-' and '_'; the label may be any text"
    above = ".".join(map(str, path[:-1] if path[-1:] == (item["input"],) else path))
    return f"config: {above}: the name {shorten(item['input'])}: {problem}"


def _right_place(path: tuple, item: Mapping[str, Any], model: type[Section]) -> str:
    """Where an unknown key belongs, or the keys that are allowed where it is."""
    context, section = item["ctx"], item["input"]
    empty = [key for key, value in section.items() if value is None]
    if empty and isinstance(section.get(context["key"]), Mapping) and not path:
        return f"if it belongs to '{empty[0]}', which is empty, indent it further"
    places = [] if context["is_near"] else places_of(context["key"], model)
    here = ".".join([*map(str, path[:1]), *(["NAME"] if path[1:] else []), *map(str, path[2:])])
    # Face sets of other kinds may have the key.
    places = [place for place in places if place.rpartition(".")[0] != here]
    # Of several, those in the same part of the config.
    places = [place for place in places if place.split(".")[0] in map(str, path[:1])] or places
    if places == [context["key"]]:
        return "its place is the top level; indent it less"
    return f"its place is {' or '.join(places[:3])}" if places else context["hint"]


def _explains_more(item: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether `item` fits better what the user wrote: a section, or a key that does not exist."""
    if other["type"] == "literal_error":
        return isinstance(item["input"], Mapping) or item["type"] == "value_error"
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
