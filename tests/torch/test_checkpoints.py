"""Files of weights: what is read, what is refused, and that nothing in them runs."""

import argparse
import datetime
import fractions
import gzip
import io
import os
import pathlib
import pickle
import types

import numpy as np
import pytest
import torch

from facestages.errors import FacestagesError
from facestages.file_kinds import TORCH, find_kind
from facestages.networks.checkpoints import load_state

LEGACY = {"_use_new_zipfile_serialization": False}


def build(seed=0):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))


def prefixed(state):
    return {f"module.{key}": value for key, value in state.items()}


def saved(path, content, **options):
    torch.save(content, path, **options)
    return path


def refusal(path, module=None):
    """Load what must be refused; nothing of it may reach the module. Return the message."""
    module = module or build(1)
    before = {key: value.clone() for key, value in module.state_dict().items()}
    with pytest.raises(FacestagesError) as caught:
        load_state(module, path)
    assert all(torch.equal(before[key], value) for key, value in module.state_dict().items())
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and len(message.splitlines()) <= 2
    assert "weights_only" not in message, "PyTorch's advice to trust the file"
    assert "check the network's 'weights' in the config" in message.splitlines()[0]
    return message


EXTRAS = {"epoch": 30, "loss": 0.5, "best": np.float64(74.1), "steps": np.int64(3), "by": "me"}


def under(prefix, state):
    return {f"{prefix}{key}": value for key, value in state.items()}


def old(state):
    """As of PyTorch 0.4.0, which did not count batches."""
    return {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}


def compiled_inside(state):
    return {key.replace("0.", "0._orig_mod."): value for key, value in state.items()}


LOSS = {"loss.weight": torch.ones(7)}
OPTIONS = {
    "args": argparse.Namespace(lr=0.1, out=pathlib.PurePosixPath("runs")),
    "matrix": np.eye(3),
    "when": datetime.datetime(2024, 5, 1),
    "more": types.SimpleNamespace(depth=18),
}
#: What files of weights look like: by a name, what becomes of a module's state dict.
WAYS = {
    "bare": lambda state: state,
    "DataParallel": prefixed,
    "net": lambda state: {"net": prefixed(state), **EXTRAS},
    "state_dict": lambda state: {**EXTRAS, "state_dict": state, "optimizer": {"state": {}}},
    "model": lambda state: {"model": state, "best": np.float32(0.25), "done": np.bool_(True)},
    "tutorial": lambda state: {"model_state_dict": state, "optimizer_state_dict": {"lr": 0.1}},
    "Lightning": lambda state: {"state_dict": under("model.", state), "epoch": 3},
    "Lightning with a loss": lambda state: {"state_dict": {**under("net.", state), **LOSS}},
    "compiled": lambda state: under("_orig_mod.", state),
    "compiled and parallel": lambda state: under("module._orig_mod.", state),
    "parallel and compiled": lambda state: under("_orig_mod.module.", state),
    "compiled inside": compiled_inside,
    "FSDP": lambda state: under("_fsdp_wrapped_module.", state),
    "averaged": lambda state: {**prefixed(state), "n_averaged": torch.tensor(3)},
    "backbone": lambda state: {"student": under("module.backbone.", state)},
    "before counters": old,
    "before counters, parallel": lambda state: {"state_dict": prefixed(old(state))},
    "key in key": lambda state: {"checkpoint": {"ema": {"model": state}}},
    "options": lambda state: {"model": state, **OPTIONS},
    "more than tensors": lambda state: {**state, "1._extra_state": {"epoch": 3}},
    "GAN": lambda state: {"generator": torch.nn.Linear(2, 2).state_dict(), "critic": state},
    "parameters": lambda state: {k: torch.nn.Parameter(v, False) for k, v in state.items()},
}


@pytest.mark.parametrize("options", [{}, LEGACY], ids=["zip", "legacy"])
@pytest.mark.parametrize("way", WAYS)
def test_what_is_read(tmp_path, way, options):
    official = build()
    official[1].running_mean += 1
    path = saved(tmp_path / "it's a net.pth", WAYS[way](official.state_dict()), **options)
    module = build(1)
    load_state(module, path)
    for key, value in official.state_dict().items():
        assert torch.equal(module.state_dict()[key], value)


@pytest.mark.parametrize("wrapper", ["module.", "module._orig_mod.", "_orig_mod."])
def test_a_module_that_is_wrapped(tmp_path, wrapper):
    """Its own keys have what torch.compile and DataParallel add."""
    inner, state = build(1), build().state_dict()
    module = inner
    for name in reversed(wrapper.split(".")[:-1]):
        module = torch.nn.ModuleDict({name: module})
    load_state(module, saved(tmp_path / "net.pth", {"model": state}))
    assert torch.equal(inner[0].weight, state["0.weight"])


def test_the_state_that_fits_is_taken(tmp_path):
    """A head beside a backbone, and an optimiser whose tensors have no keys of a module."""
    content = {
        "optimizer": {"state": {0: {"exp_avg": torch.ones(4)}}, "param_groups": []},
        "head": torch.nn.Linear(4, 7).state_dict(),
        "backbone": build().state_dict(),
    }
    module = build(1)
    load_state(module, saved(tmp_path / "net.pth", content))
    assert torch.equal(module[0].weight, build()[0].weight)


def test_several_states_that_fit_need_a_choice(tmp_path):
    """Weights and their moving average: the numbers differ, so neither is taken by chance."""
    content = {"state_dict": build(2).state_dict(), "state_dict_ema": build(3).state_dict()}
    path = saved(tmp_path / "timm.pth.tar", content)
    message = str(pytest.raises(FacestagesError, load_state, build(), path).value)
    assert "several state dicts that fit: state_dict, state_dict_ema." in message
    assert "'weights: {path: ..., key: state_dict_ema}'" in message
    for seed, key in ((2, "state_dict"), (3, "state_dict_ema")):
        module = build()
        load_state(module, path, key)
        assert torch.equal(module[0].weight, build(seed)[0].weight)
    with pytest.raises(FacestagesError, match="no 'ema' .*: state_dict, state_dict_ema$"):
        load_state(build(), path, "ema")


def test_several_prefixes_that_fit_need_a_choice(tmp_path):
    state = {**under("student.", build(2).state_dict()), **under("teacher.", build(3).state_dict())}
    path = saved(tmp_path / "dino.pth", state)
    with pytest.raises(FacestagesError, match="that fit: student, teacher"):
        load_state(build(), path)
    module = build()
    load_state(module, path, "teacher")
    assert torch.equal(module[0].weight, build(3)[0].weight)


def test_keys_below_the_prefix_that_the_module_lacks_are_no_fit(tmp_path):
    state = under("model.", {**build().state_dict(), "2.weight": torch.ones(1)})
    message = refusal(saved(tmp_path / "net.ckpt", {"state_dict": state}))
    assert "'state_dict.model' is not a state dict" in message and "unexpected: 2.weight" in message


def test_old_files_and_modules_without_memory(tmp_path):
    path = saved(tmp_path / "old.pth", old(build().state_dict()))
    with torch.device("meta"):
        module = build(1)
    load_state(module, path)
    assert int(module[1].num_batches_tracked) == 0
    assert torch.equal(module[0].weight, build()[0].weight)


def test_numpy_scalars_of_numpy_1(tmp_path):
    content = {"net": build().state_dict(), "best": np.float64(74.1)}
    path = saved(tmp_path / "of_2019.pth", content, **LEGACY)
    raw = path.read_bytes()
    assert b"cnumpy._core.multiarray\nscalar" in raw
    path.write_bytes(raw.replace(b"cnumpy._core.", b"cnumpy.core."))
    load_state(build(1), path)


def test_a_tensor_called_net_is_no_wrapping(tmp_path):
    module = torch.nn.ParameterDict({"net": torch.zeros(2), "bias": torch.zeros(3)})
    load_state(module, saved(tmp_path / "net.pth", {"net": torch.ones(2), "bias": torch.ones(3)}))
    assert module["net"].tolist() == [1, 1] and module["bias"].tolist() == [1, 1, 1]


def test_a_module_whose_own_keys_have_the_prefix(tmp_path):
    wrapped = torch.nn.ModuleDict({"module": build(1)})
    for name, state in {
        "bare": build().state_dict(),
        "own": prefixed(build().state_dict()),
    }.items():
        load_state(wrapped, saved(tmp_path / name, state))
        assert torch.equal(wrapped["module"][0].weight, build()[0].weight)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_numbers_take_the_type_of_the_module(tmp_path, kind):
    state = {key: value.to(kind) for key, value in build().state_dict().items()}
    module = build(1)
    load_state(module, saved(tmp_path / "other.pth", state))
    loaded = module.state_dict()
    assert loaded["0.weight"].dtype == torch.float32
    assert loaded["1.num_batches_tracked"].dtype == torch.int64
    torch.testing.assert_close(loaded["0.weight"], build()[0].weight, rtol=1e-2, atol=1e-3)
    assert module[0].weight.requires_grad


def test_a_module_without_memory_takes_the_files(tmp_path):
    path = saved(tmp_path / "net.pth", build().state_dict())
    with torch.device("meta"):
        module = build(1)
    load_state(module, path)
    assert torch.equal(module(torch.ones(2, 3, 4, 4)), build()(torch.ones(2, 3, 4, 4)))


def test_nan_is_not_looked_for(tmp_path):
    state = build().state_dict()
    state["0.bias"][1] = torch.nan
    module = build(1)
    load_state(module, saved(tmp_path / "nan.pth", state))
    assert module[0].bias.isnan().tolist() == [False, True, False, False]


def test_every_key_that_does_not_fit_is_named(tmp_path):
    state = build().state_dict()
    del state["0.bias"], state["1.running_mean"]
    state["0.weight"] = torch.zeros(64, 3, 7, 7)
    state["1.num_batches_tracked"] = torch.zeros(1, dtype=torch.int64)
    state["2.weight"] = torch.zeros(1)
    path = saved(tmp_path / "other.pth", state)
    what, keys = refusal(path).splitlines()
    assert "is not a state dict of this module (Sequential, 7 keys)" in what
    assert "2 missing, 1 unexpected, 2 of another shape" in what
    assert keys == (
        "missing: 0.bias, 1.running_mean; unexpected: 2.weight; of another shape or type: "
        "0.weight 64x3x7x7 instead of 4x3x3x3, "
        "1.num_batches_tracked 1 of torch.int64 instead of scalar of torch.int64"
    )


def test_what_to_do_about_weights_that_do_not_fit(tmp_path):
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 7))
    other = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 8)).state_dict()
    message = refusal(saved(tmp_path / "eight.pth", other), module)
    assert "; '1' has other units: correct 'classes', the code, or check the network's" in message
    part = {"0.weight": other["0.weight"]}
    message = refusal(saved(tmp_path / "pytorch_model-00001-of-00002.bin", part), module)
    assert "it is one of several files of weights: save them as one" in message


def test_a_file_of_torch_may_have_any_name(tmp_path):
    module = torch.nn.Linear(3, 4)
    path = saved(tmp_path / "net.safetensors", torch.nn.Linear(3, 4).state_dict())
    load_state(module, path)
    assert torch.equal(module.weight, torch.load(open(path, "rb"))["weight"])


def test_no_list_is_cut_short(tmp_path):
    module = torch.nn.ModuleList([torch.nn.Linear(1, 1) for _ in range(200)])
    message = refusal(saved(tmp_path / "one.pth", torch.nn.Linear(1, 1).state_dict()), module)
    assert "400 missing, 2 unexpected" in message
    assert all(f" {number}.weight" in message for number in range(200))


def test_a_half_prefixed_file_does_not_fit(tmp_path):
    state = build().state_dict()
    state["module.0.bias"] = state.pop("0.bias")
    assert "1 missing, 1 unexpected" in refusal(saved(tmp_path / "half.pth", state))


def test_quantised_weights_are_refused(tmp_path):
    state = {**build().state_dict(), "0.bias": torch.zeros(4, dtype=torch.int8)}
    message = refusal(saved(tmp_path / "int8.pth", state))
    assert "0.bias 4 of torch.int8 instead of 4" in message


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "bias",
    [
        torch.zeros(4).to_sparse(),
        torch.zeros(4, device="meta"),
        torch.quantize_per_tensor(torch.zeros(4), 0.1, 0, torch.qint8),
        torch.nested.nested_tensor([torch.zeros(2), torch.zeros(2)]),
    ],
    ids=["sparse", "meta", "quantised", "nested"],
)
def test_tensors_of_other_forms_are_refused(tmp_path, bias):
    message = refusal(saved(tmp_path / "odd.pth", {**build().state_dict(), "0.bias": bias}))
    assert "0.bias that is nested, sparse, quantised or without memory instead of 4" in message


def test_complex_weights_are_refused(tmp_path):
    state = {**build().state_dict(), "0.bias": torch.zeros(4, dtype=torch.complex64)}
    assert "0.bias 4 of torch.complex64" in refusal(saved(tmp_path / "complex.pth", state))


def test_a_module_that_keeps_more_than_tensors(tmp_path):
    class More(torch.nn.Linear):
        def get_extra_state(self):
            return {"epoch": 3}

        def set_extra_state(self, state):
            raise AssertionError("there is none in the file")

    module = More(2, 2)
    load_state(module, saved(tmp_path / "net.pth", torch.nn.Linear(2, 2).state_dict()))


def test_a_hook_that_takes_no_weights(tmp_path):
    module = torch.nn.Linear(2, 2)
    module.register_load_state_dict_pre_hook(lambda *_: {}["key"])
    with pytest.raises(FacestagesError, match="the module does not take it: KeyError: 'key'"):
        load_state(module, saved(tmp_path / "net.pth", torch.nn.Linear(2, 2).state_dict()))


def test_a_missing_file(tmp_path):
    assert "no such file" in refusal(tmp_path / "none.pth")


@pytest.mark.parametrize("options", [{}, LEGACY], ids=["zip", "legacy"])
def test_a_truncated_file(tmp_path, options):
    """Wherever it ends, it is called truncated, and nothing else."""
    path = saved(tmp_path / "net.pth", {"net": build().state_dict()}, **options)
    whole = path.read_bytes()
    for length in {*range(1, 40), *range(40, len(whole), 89), len(whole) - 1}:
        path.write_bytes(whole[:length])
        assert "truncated" in refusal(path), length


def scripted():
    stream = io.BytesIO()
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.ones(1, 2)), stream)
    return stream.getvalue()


def exported():
    stream = io.BytesIO()
    torch.export.save(torch.export.export(torch.nn.Linear(2, 2), (torch.ones(1, 2),)), stream)
    return stream.getvalue()


#: What people name as weights and is none (see ``test_file_kinds``), and the words for it.
OTHERS = [
    ("net.pt", scripted, "TorchScript archive, which holds code: save torch.jit.load(it)"),
    ("net.pt2", exported, "torch.export, which holds code: save module.state_dict() with torch"),
    ("net.pth.gz", lambda: gzip.compress(b"weights"), "a gzip archive: unpack it first; check"),
    ("net.h5", lambda: b"\x89HDF\r\n\x1a\n" + bytes(9), "a network of Keras under the key 'keras'"),
    ("net.pth", lambda: b'{"message": "Not Found"}', "JSON, which has no weights: fetch the file"),
    ("net.pth", lambda: b"", "empty"),
    ("net.pkl", lambda: pickle.dumps({"0.weight": [1.0]}), "pickle: save module.state_dict()"),
    ("net.pth", lambda: np.random.RandomState(0).bytes(4096), "of no known kind"),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name, content, words", OTHERS, ids=lambda value: str(value)[:20])
def test_a_file_of_another_kind(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content())
    message = refusal(tmp_path / name)
    assert "cannot be read as a file of PyTorch" in message and words in message
    assert "truncated" not in message


def test_a_damaged_file_is_not_called_truncated(tmp_path):
    """Its numbers are zeroed, but it is all there."""
    path = saved(tmp_path / "net.pth", build().state_dict())
    whole = path.read_bytes()
    start = whole.index(b"data.pkl") + 20
    path.write_bytes(whole[:start] + bytes(80) + whole[start + 80 :])
    assert find_kind(path) == TORCH
    assert "is damaged" in refusal(path)


def test_a_folder(tmp_path):
    assert "is a folder" in refusal(tmp_path)


@pytest.mark.parametrize(
    "content, held",
    [
        ({}, "it holds nothing"),
        ([1, 2], "it holds one list"),
        (torch.ones(2), "it holds one Tensor"),
        ({"epoch": 3, "weights": {"a": torch.ones(1)}}, "it holds epoch (int), weights (dict)"),
        ({"net": {"a": torch.ones(1), "b": 1}}, "it holds net (dict)"),
        (
            {"net": {"a": torch.ones(1)}, "model": {"a": torch.ones(1)}},
            "it holds net (dict), model (dict)",
        ),
        ({number: torch.ones(1) for number in range(20)}, "12 more"),
    ],
)
def test_a_file_without_one_state_dict(tmp_path, content, held):
    message = refusal(saved(tmp_path / "no.pth", content))
    assert "is not a state dict" in message and held in message


@pytest.mark.parametrize("options", [{}, LEGACY], ids=["zip", "legacy"])
def test_a_whole_module_is_refused(tmp_path, options):
    message = refusal(saved(tmp_path / "whole.pth", build(), **options))
    assert "is a whole pickled module" in message
    assert "holds Python objects (torch.nn.modules" in message
    assert "Save module.state_dict() with torch.save" in message


def test_a_module_among_others_is_refused(tmp_path):
    message = refusal(saved(tmp_path / "yolo.pt", {"model": build(), "epoch": 3}))
    assert "is a whole pickled module" in message and "truncated" not in message


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("options", [{}, LEGACY], ids=["zip", "legacy"])
def test_newer_pickles_are_named(tmp_path, options):
    path = saved(tmp_path / "net.pth", build().state_dict(), pickle_protocol=4, **options)
    assert "is pickled by protocol 4" in refusal(path)
    whole = saved(tmp_path / "whole.pth", build(), pickle_protocol=4, **options)
    assert "is a whole pickled module: it holds Python objects (torch.nn" in refusal(whole)
    older = saved(tmp_path / "older.pth", build().state_dict(), pickle_protocol=3, **options)
    load_state(build(1), older)


def test_objects_that_nobody_knows_are_refused(tmp_path):
    content = {"model": build().state_dict(), "when": fractions.Fraction(1, 3)}
    message = refusal(saved(tmp_path / "net.pth", content))
    assert "holds Python objects (fractions.Fraction)" in message and "whole" not in message


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, crater, way):
        self.crater, self.way = str(crater), way

    def __reduce__(self):
        if self.way is os.system:
            return os.system, (f"touch '{self.crater}'",)
        if self.way is eval:
            return eval, (f"open({self.crater!r}, 'w')",)
        return open, (self.crater, "w")


@pytest.mark.filterwarnings("ignore:Detected pickle protocol 4")
@pytest.mark.parametrize("way", [open, os.system, eval])
@pytest.mark.parametrize("kind", ["zip", "legacy", "beside", "in the net", 0, 2, 4])
def test_a_pickle_bomb_does_not_go_off(tmp_path, way, kind):
    crater, path = tmp_path / "crater", tmp_path / "bomb.pth"
    bomb = Bomb(crater, way)
    if isinstance(kind, int):
        path.write_bytes(pickle.dumps({"net": bomb}, protocol=kind))
        refusal(path)
    else:
        state = build().state_dict()
        content = {
            "beside": {"net": state, "epoch": bomb},
            "in the net": {"net": {**state, "0.bias": bomb}},
        }.get(kind, bomb)
        refusal(saved(path, content, **(LEGACY if kind == "legacy" else {})))
    assert not crater.exists()
    # The bomb is a real one.
    pickle.loads(pickle.dumps(bomb))
    assert crater.exists()


def test_allowances_end_with_the_reading(tmp_path):
    load_state(build(), saved(tmp_path / "net.pth", {"net": build().state_dict(), **EXTRAS}))
    allowed = torch.serialization.get_safe_globals()
    assert not any(isinstance(entry, tuple) for entry in allowed)


def test_weights_that_modules_share_stay_shared(tmp_path):
    layers = (torch.nn.Linear(4, 4, bias=False) for _ in range(2))
    module = torch.nn.Sequential(*layers)
    module[1].weight = module[0].weight
    torch.save(module.state_dict(), tmp_path / "tied.pth")
    load_state(module, tmp_path / "tied.pth")
    assert module[1].weight is module[0].weight
