"""State dicts of PyTorch modules, read from files of any origin without running their code."""

from __future__ import annotations

import logging
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from facestages.errors import FacestagesError, did_you_mean, name_error, shorten
from facestages.file_kinds import JOIN
from facestages.networks.torch_files import ADVICE, Ignored, read_torch_file

logger = logging.getLogger(__name__)

# Parts of a key that wrappers of a module add: torch.compile, FSDP, activation checkpointing.
_WRAPPERS = re.compile(r"(?<![^.])(_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")
#: Prefix that DataParallel and DistributedDataParallel add to every key.
_PARALLEL = "module."
# A weight or bias with the same shape but for its first axis, as of a layer with other classes.
_OTHER_LENGTH = re.compile(r"(\S+)\.\S+ \d+((?:x\d+)*) instead of \d+\2")
# Batches that a normalisation was trained on. PyTorch counts them since 0.4.1, and uses the number
# in training alone.
_COUNTER = "num_batches_tracked"
# A module of one small layer may be found in many places of a file.
_MOST_PREFIXES = 20
# How many keys within keys a state dict may lie under.
_DEEPEST = 2


def load_state(module: nn.Module, path: str | os.PathLike, key: str | None = None) -> None:
    """Load the state dict in a file into a module, if it fits as a whole.

    It must have the module's keys and shapes, but for counters of batches. It may lie under any key
    of the file, and its keys may have a prefix, such as ``module.`` or ``model.``: the one under
    which all of the module's keys are found. What a training keeps beside that prefix, such as
    weights of its loss, is left out with a line in the log. Numbers are cast to the module's type,
    so a file in float16 fits a module in float32.

    Parameters
    ----------
    module : torch.nn.Module
        A module on the device "meta" takes over the tensors that were read, without a copy.
    path : path-like
    key : str, optional
        Which of several that fit: the key under which it lies, or its prefix.

    Raises
    ------
    FacestagesError
        If the file cannot be read, see `torch_files.read_torch_file`, or no state dict in it fits,
        or several do; the second line of the message names every key that does not fit.
    """
    # A module may keep more than tensors there, which are not compared.
    own = {k: value for k, value in module.state_dict().items() if _is_tensor(value)}
    names = _bare_names(own)
    expected = {bare: own[name] for bare, name in names.items()}
    content = read_torch_file(path)
    found = _candidates(_read_states(path, content), expected)
    if key is not None:
        offered = [each.name for each in found]
        found = [each for each in found if f"{each.name}.".startswith(f"{key}.")]
        if not found:
            hint = did_you_mean(key, offered)
            raise FacestagesError(f"{path}: holds no '{shorten(key)}' ('key' of 'weights'): {hint}")
    fitting = [each for each in found if not each.problems]
    if not fitting:
        raise _misfit(path, module, content, found, expected)
    if len(fitting) > 1:
        raise FacestagesError(
            f"{path}: holds several state dicts that fit: {_some(each.name for each in fitting)}. "
            f"Choose one in the config: 'weights: {{path: ..., key: {shorten(fitting[-1].name)}}}'"
        )
    (chosen,) = fitting
    if chosen.beside:
        logger.info("%s: '%s' is taken, %s left out", path, chosen.name, _some(chosen.beside))
    _fill(module, path, {names[bare]: value for bare, value in chosen.state.items()})


def _read_states(path: str | os.PathLike, content: object) -> dict[str, dict[str, Tensor]]:
    """Each state dict in what a file holds, by the keys that lead to it."""
    states = {
        place: {_WRAPPERS.sub("", key): value for key, value in state.items() if _is_tensor(value)}
        for place, state in _find_states(content)
    }
    if not states:
        raise FacestagesError(
            f"{path}: is not a state dict, nor does one lie in it; it holds {_describe(content)}. "
            f"Save module.state_dict() with torch.save, or {ADVICE}"
        )
    return states


class _Candidate(NamedTuple):
    """A state dict as it would be loaded, without the prefix of its keys."""

    #: Where it lies in the file, and its prefix.
    name: str
    state: dict[str, Tensor]
    #: Keys that lie beside the prefix.
    beside: list[str]
    #: Keys that do not fit, by what is wrong with them; nothing if all do.
    problems: dict[str, list[str]]


def _bare_names(own: Iterable[str]) -> dict[str, str]:
    """A module's keys, by what they are without the parts that wrappers add."""
    bare = {_WRAPPERS.sub("", name): name for name in own}
    while bare and all(name.startswith(_PARALLEL) for name in bare):
        bare = {name.removeprefix(_PARALLEL): full for name, full in bare.items()}
    return bare


def _candidates(
    states: Mapping[str, dict[str, Tensor]], expected: Mapping[str, Tensor]
) -> list[_Candidate]:
    """Each state dict, with each prefix under which most of the module's keys are found."""
    found = []
    for place, state in states.items():
        for prefix in _best_prefixes(state, expected):
            inside = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
            beside = [k for k in state if not k.startswith(prefix)]
            problems = _mismatches(inside, expected)
            inside = {k: v for k, v in inside.items() if k in expected}
            name = ".".join(filter(None, (place, prefix.removesuffix("."))))
            found.append(_Candidate(name, inside, beside, problems))
    return found


def _best_prefixes(state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> list[str]:
    lengths = {key.count(".") + 1 for key in expected}
    scores: Counter[str] = Counter()
    for key, value in state.items():
        parts = key.split(".")
        for last in {".".join(parts[-n:]) for n in lengths} & expected.keys():
            if not _counts(last):
                scores[key[: len(key) - len(last)]] += 1 + _fits(value, expected[last])
    best = scores.most_common(_MOST_PREFIXES)
    return [prefix for prefix, score in best if score == best[0][1]] or [""]


def _mismatches(
    state: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> dict[str, list[str]]:
    problems = {
        "missing": [key for key in expected if key not in state and not _counts(key)],
        "unexpected": [shorten(key) for key in state if key not in expected and not _counts(key)],
        "of another shape or type": [
            f"{key} {_shape(state[key])} instead of {_shape(expected[key])}"
            for key in expected
            if key in state and not _fits(state[key], expected[key])
        ],
    }
    return problems if any(problems.values()) else {}


def _counts(key: str) -> bool:
    return key.rpartition(".")[2] == _COUNTER


def _misfit(
    path: str | os.PathLike,
    module: nn.Module,
    content: object,
    found: list[_Candidate],
    expected: Mapping[str, Tensor],
) -> FacestagesError:
    """The error of a file without a state dict that fits, for the one that fits best."""
    best = min(found, key=lambda each: sum(map(len, each.problems.values())))
    counts = ", ".join(f"{len(keys)} {what}" for what, keys in best.problems.items())
    lists = "; ".join(f"{what}: {', '.join(keys)}" for what, keys in best.problems.items() if keys)
    where = f"it holds {_describe(content)}; '{shorten(best.name)}' " if best.name else ""
    return FacestagesError(
        f"{path}: {where}is not a state dict of this module ({type(module).__name__}, "
        f"{len(expected)} keys): {counts}; {_advise(path, best.problems)}\n{lists}"
    )


def _advise(path: str | os.PathLike, problems: Mapping[str, list[str]]) -> str:
    """What to do about a state dict that does not fit."""
    if re.search(r"-\d+-of-\d+\.", os.fspath(path)):
        return f"it is one of several files of weights: {JOIN}, or {ADVICE}"
    missing, unexpected, different = problems.values()
    outputs = [_OTHER_LENGTH.fullmatch(each) for each in different]
    if not missing and not unexpected and all(outputs) and len({each[1] for each in outputs}) == 1:
        return (
            f"'{shorten(outputs[0][1])}' has other units: correct 'classes', the code, or {ADVICE}"
        )
    return ADVICE


def _fill(module: nn.Module, path: str | os.PathLike, state: Mapping[str, Tensor]) -> None:
    own = module.state_dict()
    fitting = {key: _like(own[key], value) for key, value in state.items()}
    # Only parameters without memory are replaced by the file's tensors: replacing others would
    # separate weights that modules share.
    assign = any(p.is_meta for p in module.parameters())
    if assign:
        counters = (key for key in own if _counts(key) and key not in state)
        fitting |= {key: torch.zeros((), dtype=torch.long) for key in counters}
    try:
        module.load_state_dict(fitting, strict=False, assign=assign)
    # A user's module may have a hook that does not take them.
    except Exception as error:
        raise FacestagesError(
            f"{path}: the module does not take it: {name_error(error)}; {ADVICE}"
        ) from error


def _find_states(content: object, place: str = "") -> Iterator[tuple[str, Mapping]]:
    """State dicts at the top of what a file holds, and under its keys."""
    if _is_state(content):
        yield place, content
    elif isinstance(content, Mapping) and place.count(".") < _DEEPEST:
        for key, value in content.items():
            if isinstance(key, str):
                yield from _find_states(value, f"{place}.{key}" if place else key)


def _is_state(content: object) -> bool:
    return (
        isinstance(content, Mapping)
        and all(isinstance(key, str) for key in content)
        and any(map(_is_tensor, content.values()))
        # Modules may keep more than tensors, under this name.
        and all(_is_tensor(v) or k.endswith("_extra_state") for k, v in content.items())
    )


def _is_tensor(value: object) -> bool:
    return isinstance(value, Tensor)


def _describe(content: object) -> str:
    if not isinstance(content, Mapping):
        return f"one {_kind(content)}"
    kinds = (f"{shorten(key)} ({_kind(value)})" for key, value in content.items())
    return _some(kinds) or "nothing"


def _kind(value: object) -> str:
    return "other object" if isinstance(value, Ignored) else type(value).__name__


def _some(names: Iterable[str], most: int = 8) -> str:
    names = list(names)
    more = [f"{len(names) - most} more"] if len(names) > most else []
    return ", ".join([*map(shorten, names[:most]), *more])


def _shape(tensor: Tensor) -> str:
    if not _is_dense(tensor):
        return "that is nested, sparse, quantised or without memory"
    shape = "x".join(map(str, tensor.shape)) or "scalar"
    return shape if tensor.is_floating_point() else f"{shape} of {tensor.dtype}"


def _is_dense(tensor: Tensor) -> bool:
    """Whether a tensor is numbers in memory, and no more."""
    other = tensor.is_nested or tensor.is_quantized or tensor.is_meta
    return tensor.layout is torch.strided and not other


def _fits(value: Tensor, expected: Tensor) -> bool:
    # Any floating-point type can be cast, but quantised weights and complex ones cannot.
    castable = value.is_floating_point() or not expected.is_floating_point()
    castable = castable and value.is_complex() == expected.is_complex()
    # In this order: a nested tensor has no shape.
    return _is_dense(value) and castable and (is_lazy(expected) or value.shape == expected.shape)


def _like(expected: Tensor, value: Tensor) -> Tensor:
    device = value.device if expected.is_meta else expected.device
    return value.detach().to(device, expected.dtype)
