"""Files of weights: what is read, what is refused, and that nothing in them runs."""

import os
import pickle

import numpy as np
import pytest
import torch

from facestages.errors import FacestagesError
from facestages.networks.checkpoints import load_state, read_state

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


@pytest.mark.parametrize("options", [{}, LEGACY], ids=["zip", "legacy"])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        prefixed,
        lambda state: {"net": prefixed(state), **EXTRAS},
        lambda state: {**EXTRAS, "state_dict": state, "optimizer": {"lr": 0.1, "state": {}}},
        lambda state: {"model": state, "best": np.float32(0.25), "done": np.bool_(True)},
    ],
    ids=["bare", "prefixed", "net", "state_dict", "model"],
)
def test_what_is_read(tmp_path, wrap, options):
    official = build()
    path = saved(tmp_path / "it's a net.pth", wrap(official.state_dict()), **options)
    state = read_state(path)
    assert list(state) == list(official.state_dict())
    module = build(1)
    load_state(module, path)
    for key, value in official.state_dict().items():
        assert torch.equal(state[key], value) and torch.equal(module.state_dict()[key], value)


def test_numpy_scalars_of_numpy_1(tmp_path):
    content = {"net": build().state_dict(), "best": np.float64(74.1)}
    path = saved(tmp_path / "of_2019.pth", content, **LEGACY)
    raw = path.read_bytes()
    assert b"cnumpy._core.multiarray\nscalar" in raw
    path.write_bytes(raw.replace(b"cnumpy._core.", b"cnumpy.core."))
    load_state(build(1), path)


def test_a_tensor_called_net_is_no_wrapping(tmp_path):
    path = saved(tmp_path / "net.pth", {"net": torch.ones(2), "bias": torch.ones(3)})
    assert list(read_state(path)) == ["net", "bias"]


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


@pytest.mark.parametrize("part", [0, 0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("options", [{}, LEGACY], ids=["zip", "legacy"])
def test_a_truncated_file(tmp_path, options, part):
    path = saved(tmp_path / "net.pth", {"net": build().state_dict()}, **options)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    refusal(path)


@pytest.mark.parametrize(
    "content",
    [
        b"version https://git-lfs.github.com/spec/v1\noid sha256:1aa0\nsize 551634217\n",
        b"<!DOCTYPE html><html><body>404</body></html>",
        np.random.RandomState(0).bytes(4096),
        b"\x89HDF\r\n\x1a\n" + bytes(100),
    ],
    ids=["lfs", "html", "noise", "hdf5"],
)
def test_a_file_of_another_kind(tmp_path, content):
    (tmp_path / "other.pth").write_bytes(content)
    assert "cannot be read as a file of PyTorch" in refusal(tmp_path / "other.pth")


def test_a_folder(tmp_path):
    assert "IsADirectoryError" in refusal(tmp_path)


@pytest.mark.parametrize(
    "content, held",
    [
        ({}, "it holds nothing"),
        ([1, 2], "it holds one list"),
        (torch.ones(2), "it holds one Tensor"),
        ({"epoch": 3, "weights": {"a": torch.ones(1)}}, "it holds epoch (int), weights (dict)"),
        ({"net": {"a": torch.ones(1), "b": 1}}, "it holds net (dict)"),
        ({"net": {"a": torch.ones(1)}, "model": {"a": torch.ones(1)}}, "net (dict), model (dict)"),
        ({number: torch.ones(1) for number in range(20)}, "12 more"),
    ],
)
def test_a_file_without_one_state_dict(tmp_path, content, held):
    message = refusal(saved(tmp_path / "no.pth", content))
    assert "is not a state dict" in message and held in message


@pytest.mark.parametrize("options", [{}, LEGACY], ids=["zip", "legacy"])
def test_a_whole_module_is_refused(tmp_path, options):
    message = refusal(saved(tmp_path / "whole.pth", build(), **options))
    assert "holds Python objects (torch.nn.modules" in message
    assert "Save module.state_dict() with torch.save" in message


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
