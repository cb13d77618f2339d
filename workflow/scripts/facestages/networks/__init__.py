"""Networks of any framework, opened in one way, whose layers can be recorded.

Backends import TensorFlow, Keras or PyTorch. This module imports none of them, nor NumPy, itself.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from facestages import storage
from facestages.architectures import ARCHITECTURES, ZOOS, InputSpec, is_address
from facestages.errors import FacestagesError, did_you_mean

if TYPE_CHECKING:
    import numpy as np

__all__ = ["InputSpec", "Network", "load_network", "open_network"]

_WEIGHTS = (".keras", ".h5", ".hdf5", ".pth", ".pt", ".ckpt", ".safetensors", ".bin")


class Network(Protocol):
    """What a network offers, in any framework.

    Attributes
    ----------
    name : str
        Its name in the config.
    layers : dict of str to tuple of int
        Output shape of every layer, without the axis of pictures, in the order of the forward pass;
        after it, of the parts of it that can be recorded, such as ``block[1]`` and ``norm@cls``.
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
        The fastest number of pictures in a forward pass.
    side_by_side : bool
        Whether several threads may call `record` at the same time.
    unlisted : dict of str to str
        Why other outputs inside the network cannot be recorded, by their names.
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
    unlisted: dict[str, str]

    def record(self, images: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
        """Outputs of some layers, in one forward pass in inference mode.

        Parameters
        ----------
        images : numpy.ndarray of uint8, shape (n, rows, columns[, 3])
        layers : sequence of str

        Returns
        -------
        dict of str to numpy.ndarray of float32, shape (n, *layer shape)
        """

    def differentiate(
        self, images: np.ndarray, layers: Sequence[str], output: str, units: np.ndarray
    ) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Outputs of some layers and the gradient of a logit with respect to them.

        Parameters
        ----------
        images : numpy.ndarray of uint8, shape (n, rows, columns[, 3])
        layers : sequence of str
            Layers with rows and columns, between input and output.
        output : str
            The output layer. Its logits are the input of its softmax, or its output without one.
        units : numpy.ndarray of int, shape (n,)
            The unit of `output` for each picture.

        Returns
        -------
        dict of str to two numpy.ndarray of float32, each of shape (n, h, w, c)

        Raises
        ------
        FacestagesError
            If a layer has no rows and columns or is not before the output, or the network has no
            logits.
        """

    def randomised(self, seed: int) -> AbstractContextManager[None]:
        """A context in which the entries of every weight kernel are shuffled among themselves.

        The weights keep their distribution and lose what they learnt (model randomisation of
        Adebayo et al. 2018). Biases and normalisation stay. Afterwards, the network is as before.
        """


def is_kernel(shape: tuple[int, ...]) -> bool:
    """Whether a tensor of weights is longer than one along two axes or more, unlike a bias."""
    return sum(length > 1 for length in shape) > 1


def is_spatial(shape: tuple[int, ...]) -> bool:
    """Whether a layer of this shape has a map for each channel, in any order of its axes."""
    return len(shape) == 3 and is_kernel(shape)


def require_spatial(network: str, layers: Mapping[str, tuple[int, ...]], wanted: Iterable[str]):
    """Raise `FacestagesError` for the first of the wanted layers that has no maps."""
    for layer in wanted:
        if not is_spatial(layers[layer]):
            shape = "x".join(map(str, layers[layer]))
            raise FacestagesError(
                f"network {network}: layer '{layer}' ({shape}) has no rows and columns to explain; "
                f"name a convolutional or pooling layer"
            )


def no_gradient(network: str, output: str, layer: str) -> FacestagesError:
    """The error of a layer that gets no gradient from the output."""
    return FacestagesError(
        f"network {network}: '{output}' does not depend on layer '{layer}', or the code between "
        f"them stops gradients (.data, detach, no_grad). Name another layer under "
        f"'gradcam', or change the code"
    )


def open_network(
    name: str | object,
    config: Mapping[str, Any] | str | os.PathLike | None = None,
    seed: int = 0,
    *,
    input: Mapping[str, Any] | None = None,
):
    """Open a network of a config with its weights, or a model of your own.

    Parameters
    ----------
    name : str, keras.Model or torch.nn.Module
        Its name in the config; or the model itself.
    config : Config, mapping or path-like, optional
        The config, or the YAML file. Not used with a model.
    seed : int
        Which instance, for networks that the workflow trains and for untrained ones.
    input : mapping, optional
        What a model takes: ``size``, ``channels``, ``scaling``, as ``input`` in the config.

    Returns
    -------
    Network

    Raises
    ------
    FacestagesError
        If the config has no such network, its weights are not there yet, or a picture does not
        pass through the model.

    Examples
    --------
    >>> network = open_network(model, input={"size": 224, "channels": 3, "scaling": "imagenet"})
    >>> list(network.layers)[:2]
    ['conv1', 'bn1']
    """
    from facestages.config import Config, load_config
    from facestages.plan.networks import weights_file, weights_target

    if not isinstance(name, str):
        return _open_model(name, input)
    if config is None:
        raise FacestagesError(f"network '{name}': give the config that defines it, or a model")
    config = config if isinstance(config, Config) else load_config(config)
    if name not in config.networks:
        raise FacestagesError(f"no network '{name}': {did_you_mean(name, config.networks)}")
    entry, weights = config.networks[name], weights_file(config, name, seed)
    target = weights_target(config, name, seed)
    if target and not os.path.exists(weights):
        raise FacestagesError(
            f"network {name}: {weights} is not there yet. Make it with: snakemake --cores all "
            f"{target}"
        )
    return load_network(name, **entry.source, weights=weights, seed=seed)


def _open_model(model: object, input: Mapping[str, Any] | None):
    name = type(model).__name__
    if input is None:
        raise FacestagesError(
            f"{name}: say what it takes, e.g. input={{'size': 224, 'channels': 3, "
            f"'scaling': 'imagenet'}}"
        )
    for key in input:
        if key not in (keys := ("size", "channels", "scaling", "grey")):
            raise FacestagesError(f"input has no key '{key}'; {did_you_mean(key, keys)}")
    spec = InputSpec(**{"channels": 3, **input})
    frameworks = {kind.__module__.partition(".")[0] for kind in type(model).__mro__}
    if "torch" in frameworks:
        from facestages.networks.torch_backend import TorchNetwork

        return TorchNetwork(name, model, spec, side_by_side=False)
    if "keras" in frameworks:
        from facestages.networks.keras_backend import KerasNetwork

        return KerasNetwork(name, model, spec)
    raise FacestagesError(f"{name} is neither a keras.Model nor a torch.nn.Module")


def runs_side_by_side(source: Mapping[str, Any]) -> bool:
    """Whether forward passes of a network, by its source in the config, may run at the same time.

    Torch modules of users and libraries may not: they may keep something of each pass.
    """
    zoo = source.get("zoo")
    return source.get("torch") is None and not (zoo and ZOOS[zoo[0]].framework == "torch")


def load_instance(snakemake) -> tuple[Network, int]:
    """Load the network that a job of the workflow is about, and return it with its seed.

    Parameters
    ----------
    snakemake : snakemake.script.Snakemake
        A job with the wildcards ``network`` and ``seed``, the params ``network`` (the source in the
        config) and ``weights``, and the resource ``gpu``.
    """
    name, seed = snakemake.wildcards.network, int(snakemake.wildcards.seed)
    weights = storage.locate(snakemake.params.weights, snakemake.input)
    # A job has fetched the weights of timm before; a cluster's nodes often have no connection.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    source, gpu = snakemake.params.network, snakemake.resources.gpu
    return load_network(name, **source, weights=weights, seed=seed, gpu=gpu), seed


def load_network(
    name: str,
    *,
    architecture: str | None = None,
    keras: str | None = None,
    torch: str | None = None,
    zoo: Sequence[str] | None = None,
    input: Mapping[str, Any] | None = None,
    classes: Sequence[str] | None = None,
    width: int | None = None,
    weights: str | os.PathLike | None = None,
    key: str | None = None,
    seed: int = 0,
    gpu: int = 0,
):
    """Load one network.

    Afterwards this process does not give freed memory back, see `allocator.keep_freed_memory`.

    Parameters
    ----------
    name : str
        Its name in the config.
    architecture : str, optional
        A name in `architectures.ARCHITECTURES`. This, or one of the next three.
    keras : str, optional
        A Keras file, or ``package.module:function`` that returns a Keras model.
    torch : str, optional
        ``package.module:function`` that returns a torch module.
    zoo : sequence of str, optional
        A key of `architectures.ZOOS` and the name of a network there.
    input : mapping, optional
        What `InputSpec` takes: ``size``, ``channels``, ``scaling``, ``grey``; required with `keras`
        and `torch`.
    classes : sequence of str, optional
        Output classes, if they are not the published ones.
    width : int, optional
        Channels of the first layer, to build an architecture narrower than published.
    weights : path-like, optional
        File of the weights, or a folder that holds one such file. None for an untrained network,
        ``"pretrained"`` for those that the library of `zoo` has.
    key : str, optional
        Which of several state dicts in a file of torch, see `checkpoints.load_state`.
    seed : int
        Seed of an untrained network's initial weights.
    gpu : int
        GPUs that the network must have. With 0, it takes a GPU if its framework sees one, and else
        computes on the processor. ``pixels`` computes nothing and needs none.

    Returns
    -------
    Network

    Raises
    ------
    FacestagesError
        If it cannot be built, its weights or a GPU are missing, or the weights do not fit.
    """
    from facestages.networks.allocator import keep_freed_memory
    from facestages.networks.devices import require_gpus

    keep_freed_memory()
    published = ARCHITECTURES.get(architecture)
    spec = InputSpec(**input) if input else None
    is_code = keras is not None and is_address(keras)
    # A folder under `keras` is no folder of an asset.
    if weights is not None and os.path.isdir(weights) and weights != keras:
        weights = find_weights(weights)
    builder = module = None
    if published:
        builder, zoo, classes = published.builder, published.zoo, classes or published.classes
        if not zoo:
            spec = spec or published.input
    n_classes = [len(classes)] if classes else []
    pretrained = weights == "pretrained"
    file = None if pretrained else weights
    is_whole = str(file).endswith(".keras") and not is_code  # with its architecture inside

    def build_zoo():
        # By name, so that this module counts for networks of a zoo alone: see common.smk.
        zoos = importlib.import_module("facestages.networks.zoos")
        where = f"network {name}"
        return zoos.build_network(where, zoo, pretrained, *n_classes, input=spec, seed=seed)

    if architecture == "pixels":
        from facestages.networks.pixels import PixelsNetwork

        return PixelsNetwork(name, spec)
    is_torch = torch is not None or (published and published.framework == "torch")
    if is_torch or (zoo and ZOOS[zoo[0]].framework == "torch"):
        from facestages.networks.checkpoints import load_state
        from facestages.networks.torch_backend import TorchNetwork, build_module

        require_gpus(gpu, "torch")
        if zoo:
            module, spec = build_zoo()
        else:
            where = f"networks.{name}.torch"
            n_units = n_classes if published else []
            options = {} if width is None else {"width": width}
            module = build_module(torch or builder, seed, *n_units, where=where, **options)
        if file is not None:
            load_state(module, file, key)
        side_by_side = runs_side_by_side({"torch": torch, "zoo": zoo})
        return TorchNetwork(name, module, spec, side_by_side=side_by_side)

    from facestages.networks.keras_backend import KerasNetwork, build_model
    from facestages.networks.keras_files import load_keras, load_weights
    from facestages.networks.quiet_keras import keras as loaded_keras

    require_gpus(gpu, loaded_keras.config.backend())
    if zoo:
        model, spec = build_zoo()
    elif is_code:
        model = build_model(name, keras, spec, seed)
    elif builder and not is_whole:
        module = importlib.import_module(builder.partition(":")[0])
        model = getattr(module, builder.partition(":")[2])(*n_classes, seed=seed)
    if is_whole or not (zoo or is_code or builder):
        model = load_keras(file or keras)
    elif file is not None:
        # The module of an architecture may read a format of its own.
        getattr(module, "load_weights", load_weights)(model, file)
    return KerasNetwork(name, model, spec)


def find_weights(folder: str | os.PathLike) -> Path:
    """The only file in a folder, or its only file with a usual ending of weights."""
    # Hidden files are Snakemake's, which leaves one in every folder that a rule makes.
    files = sorted(p for p in Path(folder).rglob("*") if p.is_file() and p.name[0] != ".")
    weights = files if len(files) == 1 else [path for path in files if path.suffix in _WEIGHTS]
    if len(weights) == 1:
        return weights[0]
    names = ", ".join(str(path.relative_to(folder)) for path in weights) or "no file of weights"
    raise FacestagesError(
        f"{folder}: holds {names}; name the file itself in the path of the network's 'weights', or "
        f"as their 'member' for an asset"
    )
