"""What is known of published networks without their weights, and what any network must keep to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch


def official_shapes(name: str) -> dict[str, tuple[int, ...]]:
    """Shape of every entry of a published state dict, in its order."""
    lines = Path(__file__).with_name(f"{name}_state.tsv").read_text().splitlines()
    rows = (line.split("\t") for line in lines[1:])
    return {key: tuple(int(side) for side in shape.split("x") if side) for key, shape in rows}


def shapes_of(module: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    """Shape of every entry of a module's state dict, in its order."""
    return {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}


def shared_key(key: str) -> str:
    """The first key of an entry that the published ResMaskNet lists twice."""
    return re.sub(r"^(mask\d\.)conv(\d)\.downsample\.", r"\1downsample\2.", key)


def official_checkpoint(shapes: dict[str, tuple[int, ...]]) -> dict[str, object]:
    """As training scripts write it; each tensor repeats a number of its own and takes no memory."""
    numbers = {key: number for number, key in enumerate(shapes)}
    net = {}
    for key, shape in shapes.items():
        kind = torch.int64 if _counts(key) else torch.float32
        net[f"module.{key}"] = torch.tensor(numbers[shared_key(key)], dtype=kind).expand(shape)
    return {"net": net, "best_acc": np.float64(74.14), "epoch": 30, "loss": 0.1}


def filled_with_own_number(module: torch.nn.Module) -> bool:
    """Whether a module has all that `official_checkpoint` holds, in its place."""
    state = module.state_dict()
    numbers = {key: number for number, key in enumerate(state)}
    return all((tensor == numbers[shared_key(key)]).all() for key, tensor in state.items())


def synthetic_state(
    shapes: dict[str, tuple[int, ...]], gain: float = 1.0
) -> dict[str, torch.Tensor]:
    """Weights that are the same on every machine; with a fitting gain activations stay near one."""
    # The legacy generator: NumPy promises that its numbers never change. One vector for all
    # tensors, each from a start of its own, since ResMaskNet would take seconds otherwise.
    noise = np.random.RandomState(0).random_sample(2_000_003).astype(np.float32) * 2 - 1
    state: dict[str, torch.Tensor] = {}
    for number, (key, shape) in enumerate(shapes.items()):
        values = np.resize(noise[number * 1009 :], shape)
        if shared_key(key) != key:
            state[key] = state[shared_key(key)]
        elif _counts(key):
            state[key] = torch.tensor(1)
        elif len(shape) > 1:
            state[key] = torch.from_numpy(values * np.float32(gain * np.prod(shape[1:]) ** -0.5))
        else:
            around = 1 if key.endswith(("weight", "running_var")) else 0
            state[key] = torch.from_numpy(around + values / 5)
    return state


def synthetic_faces(n: int, size: int) -> torch.Tensor:
    """Pictures of noise from 0 to 1, the same on every machine."""
    pixels = np.random.RandomState(1).random_sample((n, 3, size, size))
    return torch.from_numpy(pixels.astype(np.float32))


def with_synthetic_weights(module: torch.nn.Module, gain: float = 1.0) -> torch.nn.Module:
    """The module, which may be built on "meta", with `synthetic_state`, in evaluation mode."""
    module.load_state_dict(synthetic_state(shapes_of(module), gain), assign=True)
    return module.eval()


def output_shapes(
    module: torch.nn.Module, x: torch.Tensor, layers: Sequence[str]
) -> dict[str, tuple[int, ...]]:
    """Shape of the layers' outputs, without the picture axis."""
    shapes = {}

    def keep(name):
        return lambda module, inputs, output: shapes.update({name: tuple(output.shape[1:])})

    hooks = [module.get_submodule(name).register_forward_hook(keep(name)) for name in layers]
    try:
        module.eval()(x)
    finally:
        for hook in hooks:
            hook.remove()
    return shapes


def overwritten_outputs(module: torch.nn.Module, x: torch.Tensor) -> list[str]:
    """Layers whose output another layer has changed since it came out."""
    seen = []

    def keep(name):
        def hook(module, inputs, output):
            if isinstance(output, torch.Tensor):
                seen.append((name, output, output.clone()))

        return hook

    hooks = [part.register_forward_hook(keep(name)) for name, part in module.named_modules()]
    try:
        with torch.inference_mode():
            module.eval()(x)
    finally:
        for hook in hooks:
            hook.remove()
    assert len(seen) > 10
    return [name for name, output, before in seen if not torch.equal(output, before)]


def _counts(key: str) -> bool:
    return key.endswith("num_batches_tracked")
