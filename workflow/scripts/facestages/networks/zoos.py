"""Networks of timm, torchvision and Keras Applications by name, with the input that they expect.

The libraries keep their weights in the user's home and fetch them there. Files of torch are read as
weights only.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
import sys
import urllib.request
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np

from facestages.architectures import INSTALL_ZOO, SCALINGS, InputSpec
from facestages.errors import FacestagesError, did_you_mean, shorten
from facestages.networks.inputs import scale_images


def build_network(
    where: str,
    zoo: Sequence[str],
    pretrained: bool,
    n_classes: int | None = None,
    *,
    input: InputSpec | None = None,
    seed: int = 0,
):
    """Build a network of a library.

    Parameters
    ----------
    where : str
        Whose error messages these are: ``network NAME``.
    zoo : two str
        A key of `architectures.ZOOS`, and the network's name there.
    pretrained : bool
        Whether it gets the weights that the library has for it.
    n_classes : int, optional
        Units of its output; the library's number with its weights.
    input : InputSpec, optional
        For another input than the library's, where the network can have it.
    seed : int
        Seed of the initial weights.

    Returns
    -------
    network : torch.nn.Module or keras.Model
    input : InputSpec

    Raises
    ------
    FacestagesError
        If the library is not installed, has no such network, or cannot build it or get its weights.
    """
    kind, name = zoo
    build, cache = {
        "timm": (_build_timm, _hub_cache),
        "torchvision": (_build_torchvision, _torch_cache),
        "keras_application": (_build_application, _keras_cache),
    }[kind]
    title = f"{where}: {kind} '{name}'"
    try:
        return build(name, pretrained, None if pretrained else n_classes, input, seed)
    except FacestagesError as error:
        raise FacestagesError(f"{title}: {error}") from None
    # The code is a library's, which may fail in any way, most of all when it fetches.
    except Exception as error:
        reason = f"{type(error).__name__}: {shorten(error, 300)}".rstrip(". ")
        if not pretrained:
            raise FacestagesError(
                f"{title}: cannot be built: {reason}. Check the name, 'classes' and 'input' in the "
                f"config"
            ) from error
        raise FacestagesError(
            f"{title}: its weights cannot be had: {reason}.\nCheck the connection, put the file "
            f"into {cache()} (in place of a damaged one), or give its path as 'weights'"
        ) from error


# ------------------------------------------------------------------------------- timm, torchvision


def _build_timm(name: str, pretrained: bool, n_classes: int | None, input, seed: int):
    _import("torchvision", needed_by="timm")
    timm = _import("timm")
    if not timm.is_model(name):
        _require_name(name, timm.list_models())
    options = {"num_classes": n_classes, "in_chans": input and input.channels}
    options = {key: value for key, value in options.items() if value}
    with _weights_only(seed):
        module = timm.create_model(name, pretrained=pretrained, **options)
    facts = timm.data.resolve_model_data_config(module)
    scaling = {"mean": list(facts["mean"]), "deviation": list(facts["std"])}
    return module, input or InputSpec(facts["input_size"][1], facts["input_size"][0], scaling)


def _build_torchvision(name: str, pretrained: bool, n_classes: int | None, input, seed: int):
    models = _import("torchvision").models
    _require_name(name, models.list_models(module=models))
    weights = models.get_model_weights(name).DEFAULT
    options = {"num_classes": n_classes} if n_classes else {}
    with _weights_only(seed):
        module = models.get_model(name, weights=weights if pretrained else None, **options)
    facts = weights.transforms()
    scaling = {"mean": list(facts.mean), "deviation": list(facts.std)}
    return module, input or InputSpec(facts.crop_size[0], 3, scaling)


@contextlib.contextmanager
def _weights_only(seed: int) -> Iterator[None]:
    """Seed torch, and let it load nothing but weights, whatever a library asks for."""
    import torch

    torch.manual_seed(seed)
    key = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    before = os.environ.get(key)
    os.environ[key] = "1"
    try:
        yield
    finally:
        os.environ.pop(key)
        if before is not None:
            os.environ[key] = before


def _import(package: str, needed_by: str | None = None) -> ModuleType:
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        for_it = f", which {needed_by} needs," if needed_by else ""
        raise FacestagesError(f"{package}{for_it} is not installed: {INSTALL_ZOO}") from error
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    return _import_without_operators()


def _import_without_operators() -> ModuleType:
    """torchvision beside a torch of another build, say one for processors beside CUDA's.

    Its compiled operators do not load then. Networks that name classes use none of them, but the
    import fails unless they are declared.
    """
    import torch

    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    _import_without_operators.declared = library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor boxes, Tensor scores, float threshold) -> Tensor")
    return importlib.import_module("torchvision")


def _require_name(name: str, names: Collection[str]) -> None:
    if name not in names:
        raise FacestagesError(f"no such network; {did_you_mean(name, names)}")


def _hub_cache() -> str:
    home = os.environ.get("HF_HOME") or os.path.join("~", ".cache", "huggingface")
    return os.path.expanduser(os.environ.get("HF_HUB_CACHE") or os.path.join(home, "hub"))


def _torch_cache() -> str:
    import torch

    return os.path.join(torch.hub.get_dir(), "checkpoints")


# ----------------------------------------------------------------------------- Keras Applications


def _build_application(name: str, pretrained: bool, n_classes: int | None, input, seed: int):
    from facestages.networks.quiet_keras import keras

    functions = dict(inspect.getmembers(keras.applications, inspect.isfunction))
    _require_name(name, functions)
    options = {"classes": n_classes} if n_classes else {}
    if input and not pretrained:
        options["input_shape"] = input.shape
    keras.utils.set_random_seed(seed)
    with _whole_downloads():
        model = functions[name](weights="imagenet" if pretrained else None, **options)
    size, channels = model.input_shape[2:]
    module = sys.modules[functions[name].__module__]
    return model, input or InputSpec(size, channels, _find_scaling(module.preprocess_input))


def _find_scaling(preprocess) -> str:
    """The scaling that does what a function of Keras does, tried on pictures of three colours."""
    images = np.array([[[[0, 0, 0], [255, 255, 255], [10, 100, 200]]]], np.uint8)
    wanted = preprocess(images.astype(np.float32))
    for name in SCALINGS:
        if np.allclose(scale_images(images, name), wanted, atol=1e-3):
            return name
    raise FacestagesError("its preprocessing is none that is known: give the key 'input'")


@contextlib.contextmanager
def _whole_downloads() -> Iterator[None]:
    """Let Keras give a file its name when all of it is there, which it does not by itself."""
    from keras.src.utils import file_utils

    def fetch(address: str, target: str, *arguments) -> None:
        partial = f"{target}.{os.getpid()}"
        try:
            urllib.request.urlretrieve(address, partial, *arguments)
            os.replace(partial, target)
        finally:
            Path(partial).unlink(missing_ok=True)

    before, file_utils.urlretrieve = file_utils.urlretrieve, fetch
    try:
        yield
    finally:
        file_utils.urlretrieve = before


def _keras_cache() -> str:
    from keras.src.utils import file_utils

    return os.path.join(file_utils.config.keras_home(), "models")
