"""Networks: one way to open any of them and to record what its layers say."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from facestages.architectures import ARCHITECTURES, InputSpec
from facestages.errors import FacestagesError, did_you_mean

if TYPE_CHECKING:
    import numpy as np

__all__ = ["InputSpec", "Network", "load_network", "open_network"]

_WEIGHTS = (".keras", ".h5", ".hdf5", ".pth", ".pt", ".ckpt")


class Network(Protocol):
    """What every network offers, whatever its framework.

    Attributes
    ----------
    name : str
        Its name in the config.
    layers : dict of str to tuple of int
        Output shape of every layer, without the picture axis.
    input : InputSpec
        Size, channels and scaling of its input.
    kinds : dict of str to str
        Class of every layer.
    parameters : dict of str to int
        Number of parameters of every layer.
    n_parameters : int
        Number of parameters of the network.
    weights_digest : str
        SHA-256 of its weights.
    batch : int
        Number of pictures in a forward pass that is fastest.
    side_by_side : bool
        Whether `record` may be called from several threads at once.
    """

    name: str
    layers: dict[str, tuple[int, ...]]
    kinds: dict[str, str]
    parameters: dict[str, int]
    n_parameters: int
    input: InputSpec
    weights_digest: str
    batch: int
    side_by_side: bool

    def record(self, images: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
        """Outputs of some layers, each (n, *layer shape) float32, for uint8 pictures
        (n, rows, columns[, 3])."""

    def differentiate(
        self, images: np.ndarray, layers: Sequence[str], output: str, units: np.ndarray
    ) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Maps of some layers, each (n, h, w, c) float32, and what they do to the answer: the
        gradient of the logit of unit ``units[i]`` of layer `output` for picture i with respect to
        them, of the same shape. Networks without weights lack this."""

    def randomised(self, seed: int) -> AbstractContextManager[None]:
        """Within this context, the entries of every weight kernel are shuffled."""


def is_kernel(shape: tuple[int, ...]) -> bool:
    """Whether a tensor of weights is longer than one along two axes or more; biases are not."""
    return sum(length > 1 for length in shape) > 1


def is_spatial(shape: tuple[int, ...]) -> bool:
    """Whether a layer of this shape has a map for each channel, wherever its channels stand."""
    return len(shape) == 3 and is_kernel(shape)


def require_spatial(network: str, layers: Mapping[str, tuple[int, ...]], wanted: Iterable[str]):
    """Refuse layers that have no maps.

    Raises
    ------
    FacestagesError
        Naming the first of them.
    """
    for layer in wanted:
        if not is_spatial(layers[layer]):
            shape = "x".join(map(str, layers[layer]))
            raise FacestagesError(
                f"network {network}: layer '{layer}' ({shape}) has no rows and columns to explain; "
                f"name a convolutional or pooling layer"
            )


def open_network(name: str, config: Mapping[str, Any] | str | os.PathLike, seed: int = 0):
    """Open a network of a config, with its weights.

    Parameters
    ----------
    name : str
        Its name in the config.
    config : Config, mapping or path-like
        The config, or the YAML file.
    seed : int
        Which instance, for networks that are trained or untrained.

    Returns
    -------
    Network

    Raises
    ------
    FacestagesError
        If there is no such network or its weights are not there yet.
    """
    from facestages.config import Config, load_config

    config = config if isinstance(config, Config) else load_config(config)
    if name not in config.networks:
        raise FacestagesError(f"no network '{name}': {did_you_mean(name, config.networks)}")
    entry, weights = config.networks[name], config.weights_file(name, seed)
    target = config.weights_target(name, seed)
    if target and not os.path.exists(weights):
        raise FacestagesError(
            f"network {name}: {weights} is not there yet. Make it with: snakemake --cores all "
            f"{target}"
        )
    return load_network(name, **entry.source, weights=weights, seed=seed)


def load_network(
    name: str,
    *,
    architecture: str | None = None,
    keras: str | None = None,
    torch: str | None = None,
    input: Mapping[str, Any] | None = None,
    classes: Sequence[str] | None = None,
    width: int | None = None,
    weights: str | os.PathLike | None = None,
    seed: int = 0,
    gpu: int = 0,
):
    """Load one network.

    From then on this process keeps the memory that it frees, see `keep_freed_memory`.

    Parameters
    ----------
    name : str
        Its name in the config.
    architecture, keras, torch
        One of them: a name in the catalogue, a Keras file, or ``package.module:function``.
    input : mapping, optional
        ``size``, ``channels`` and ``scaling``, where the architecture does not say them.
    classes : sequence of str, optional
        Output classes, where they are not the published ones.
    width : int, optional
        Channels of the first layer, for architectures that are built narrower than published.
    weights : path-like, optional
        File of the weights, or a folder that holds one such file; none for an untrained network.
        ``"imagenet"`` for those that Keras Applications fetches.
    seed : int
        Seed of an untrained network's initial weights.
    gpu : int
        GPUs without which it is not to be loaded. With 0 it takes one that its framework sees, or
        computes on the processor; ``pixels`` computes nothing and needs none.

    Returns
    -------
    Network

    Raises
    ------
    FacestagesError
        If it cannot be built, the weights are missing or are not its own, or a GPU is.
    """
    # Snakemake imports this module at the start of every run, and needs none of these.
    from facestages.networks.allocator import keep_freed_memory
    from facestages.networks.devices import require_gpus

    keep_freed_memory()
    spec = InputSpec(**input) if input else ARCHITECTURES[architecture].input
    if weights is not None and os.path.isdir(weights):
        weights = find_weights(weights)
    if architecture == "pixels":
        from facestages.networks.pixels import PixelsNetwork

        return PixelsNetwork(name, spec)
    known = ARCHITECTURES.get(architecture)
    builder = known.builder if known else None
    options = {} if width is None else {"width": width}
    n_classes = [len(classes or known.classes)] if known and (classes or known.classes) else []
    if torch is not None or (known and known.framework == "torch"):
        from facestages.networks.checkpoints import load_state
        from facestages.networks.torch_backend import TorchNetwork, build_module

        require_gpus(gpu, "torch")
        where = f"networks.{name}.torch"
        module = build_module(torch or builder, seed, *n_classes, where=where, **options)
        if weights is not None:
            load_state(module, weights)
        # Of a module of one's own nobody knows what it keeps.
        return TorchNetwork(name, module, spec, side_by_side=torch is None)

    from facestages.networks.keras_backend import KerasNetwork, load_keras, load_weights
    from facestages.networks.quiet_keras import keras as loaded_keras

    require_gpus(gpu, loaded_keras.config.backend())
    whole_model = builder is None or str(weights).endswith(".keras")
    if whole_model:
        return KerasNetwork(name, load_keras(weights or keras), spec)
    module, _, function = builder.partition(":")
    build = getattr(importlib.import_module(module), function)
    if weights == "imagenet":
        return KerasNetwork(name, build(weights=weights), spec)
    model = build(*n_classes, seed=seed)
    if weights is not None:
        load_weights(model, weights)
    return KerasNetwork(name, model, spec)


def find_weights(folder: str | os.PathLike) -> Path:
    """The one file of weights in a folder: the only file, or the only one with a usual ending.

    Raises
    ------
    FacestagesError
        If there is none, or more than one.
    """
    # Snakemake leaves a hidden file of its own in every folder that a rule makes.
    files = sorted(p for p in Path(folder).rglob("*") if p.is_file() and p.name[0] != ".")
    found = files if len(files) == 1 else [path for path in files if path.suffix in _WEIGHTS]
    if len(found) == 1:
        return found[0]
    names = ", ".join(str(path.relative_to(folder)) for path in found) or "no file of weights"
    raise FacestagesError(
        f"{folder}: holds {names}; name the file with the key 'member' of the network's 'weights'"
    )
