"""Networks: one way to open any of them and to record what its layers say."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from facestages.errors import FacestagesError, did_you_mean
from facestages.networks.catalogue import ARCHITECTURES, InputSpec

if TYPE_CHECKING:
    import numpy as np

__all__ = ["InputSpec", "Network", "load_network", "open_network"]


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
    weights_digest : str
        SHA-256 of its weights.
    """

    name: str
    layers: dict[str, tuple[int, ...]]
    input: InputSpec
    weights_digest: str

    def record(self, images: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
        """Outputs of some layers, each (n, *layer shape) float32, for uint8 pictures
        (n, rows, columns[, 3])."""


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
    source = config.networks[name].source
    return load_network(name, **source, weights=config.weights_file(name, seed), seed=seed)


def load_network(
    name: str,
    *,
    architecture: str | None = None,
    keras: str | None = None,
    torch: str | None = None,
    input: Mapping[str, Any] | None = None,
    classes: Sequence[str] | None = None,
    weights: str | os.PathLike | None = None,
    seed: int = 0,
):
    """Load one network.

    Parameters
    ----------
    name : str
        Its name in the config.
    architecture, keras, torch
        One of them: a name in the catalogue, a Keras file, or ``package.module:function``.
    input : mapping, optional
        ``size``, ``channels`` and ``scaling``, where the architecture does not say them.
    classes : sequence of str, optional
        Output classes of an untrained network.
    weights : path-like, optional
        File of the weights; none for an untrained network.
    seed : int
        Seed of an untrained network's initial weights.

    Returns
    -------
    Network
    """
    spec = InputSpec(**input) if input else ARCHITECTURES[architecture].input
    if architecture == "pixels":
        from facestages.networks.pixels import PixelsNetwork

        return PixelsNetwork(name, spec)
    if torch is not None:
        from facestages.networks.torch_backend import TorchNetwork, load_state

        module = _build(torch, name, seed)
        if weights is not None:
            load_state(module, weights)
        return TorchNetwork(name, module, spec)

    from facestages.networks.keras_backend import KerasNetwork, load_keras

    if weights is not None or keras is not None:
        return KerasNetwork(name, load_keras(weights or keras), spec)

    from facestages.networks.light_cnn import light_cnn

    return KerasNetwork(name, light_cnn(len(classes), seed), spec)


def _build(address: str, name: str, seed: int):
    """Call the user's `package.module:function`, also one beside the run."""
    import torch

    module_name, _, function = address.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    torch.manual_seed(seed)
    try:
        return getattr(importlib.import_module(module_name), function)()
    except (ImportError, AttributeError, ValueError) as error:
        raise FacestagesError(
            f"networks.{name}.torch = '{address}': {error}. Give package.module:function, "
            "importable from where the workflow runs"
        ) from error
