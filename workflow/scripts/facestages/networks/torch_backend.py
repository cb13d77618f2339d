"""PyTorch modules as networks to record from."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np

import torch
from facestages.errors import FacestagesError
from facestages.networks.catalogue import InputSpec
from facestages.networks.inputs import prepare_images

logger = logging.getLogger(__name__)


class TorchNetwork:
    """A PyTorch module whose submodules can be recorded.

    Parameters
    ----------
    name : str
        Its name in the config.
    module : torch.nn.Module
        Takes (n, channels, size, size) float32. It is put in evaluation mode.
    input : InputSpec
        What it expects.

    Attributes
    ----------
    layers : dict of str to tuple of int
        Output shape of every submodule that returns one tensor with a row for each picture, without
        that axis, in the order in which they finish. One that runs several times is a layer for
        each call: ``relu#1``, ``relu#2``.
    kinds : dict of str to str
        Class of every layer.
    parameters : dict of str to int
        Number of parameters of every layer, those of its submodules included.
    n_parameters : int
        Number of parameters of the network; shared ones count once.

    Raises
    ------
    FacestagesError
        If a picture does not pass through the module.
    """

    def __init__(self, name: str, module: torch.nn.Module, input: InputSpec) -> None:
        self.name = name
        self.module = module.eval()
        self.input = input
        # A module that lies in two places has both names.
        named = module.named_modules(remove_duplicate=False)
        self._modules = {layer: part for layer, part in named if layer}
        shapes = self._trace()
        self.layers = {layer: shape for (layer, _), shape in shapes.items()}
        self.kinds = {layer: type(part).__name__ for (layer, part), _ in shapes.items()}
        self.parameters = {layer: _count(part) for (layer, part), _ in shapes.items()}
        self.n_parameters = _count(module)

    def _trace(self) -> dict[tuple[str, torch.nn.Module], tuple[int, ...]]:
        """Layer and module, and its output shape, of every call that returns a tensor."""
        calls: list[tuple[str, tuple[int, ...]]] = []
        # Two pictures, to tell apart what is for each picture and what is not.
        blank = torch.zeros(2, self.input.channels, self.input.size, self.input.size)
        try:
            with self._watch(self._modules, lambda name, out: calls.append((name, out.shape))):
                self.module(blank)
        except FacestagesError:
            raise
        except Exception as error:
            shape = "x".join(map(str, blank.shape[1:]))
            raise FacestagesError(
                f"network {self.name}: a picture of {shape} does not pass through it: "
                f"{_one_line(error)}. Check 'input' in the config"
            ) from error
        times, seen, shapes = Counter(name for name, _ in calls), Counter(), {}
        for name, shape in calls:
            seen[name] += 1
            layer = name if times[name] == 1 else f"{name}#{seen[name]}"
            if shape[:1] == (2,):
                shapes[layer, self._modules[name]] = tuple(shape[1:])
        return shapes

    @contextlib.contextmanager
    def _watch(
        self, names: Sequence[str], see: Callable[[str, torch.Tensor], None]
    ) -> Iterator[None]:
        """Tell `see` of every tensor that the named modules return, without gradients."""

        def hook_of(name):
            def hook(module, inputs, output):
                if isinstance(output, torch.Tensor):
                    see(name, output)

            return hook

        hooks = [self._modules[name].register_forward_hook(hook_of(name)) for name in names]
        try:
            with torch.inference_mode():
                yield
        finally:
            for hook in hooks:
                hook.remove()

    @property
    def weights_digest(self) -> str:
        """SHA-256 of all parameters and buffers, in the module's order."""
        sha = hashlib.sha256()
        for key, tensor in self.module.state_dict().items():
            sha.update(f"{key}{tuple(tensor.shape)}".encode())
            # As bytes: numpy has no bfloat16.
            sha.update(tensor.cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
        return sha.hexdigest()

    def record(self, images: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
        """Output of the layers for some pictures, in one forward pass in evaluation mode.

        Parameters
        ----------
        images : numpy.ndarray of uint8, shape (n, rows, columns[, 3])
        layers : sequence of str

        Returns
        -------
        dict of str to numpy.ndarray of float32, shape (n, *layer shape)
        """
        assert not self.module.training
        records: dict[str, np.ndarray] = {}
        seen: Counter[str] = Counter()

        def keep(name: str, output: torch.Tensor) -> None:
            seen[name] += 1
            layer = name if name in layers else f"{name}#{seen[name]}"
            if layer in layers:
                # A copy: a later in-place operation would otherwise write into the record.
                records[layer] = output.to("cpu", torch.float32, copy=True).numpy()

        pixels = prepare_images(images, self.input).transpose(0, 3, 1, 2)
        with self._watch({layer.partition("#")[0] for layer in layers}, keep):
            self.module(torch.from_numpy(np.ascontiguousarray(pixels)))
        return {layer: records[layer] for layer in layers}


def _count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def build_module(address: str, seed: int, *args, where: str, **options) -> torch.nn.Module:
    """Call ``package.module:function``, also one beside the run.

    Parameters
    ----------
    address : str
    seed : int
        Seed of the initial weights.
    where : str
        Key of the config that gives the address, for error messages.
    *args, **options
        What the function is called with.

    Raises
    ------
    FacestagesError
        If there is no such function, or it does not return a module.
    """
    module_name, _, function = address.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    torch.manual_seed(seed)
    try:
        build = getattr(importlib.import_module(module_name), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise FacestagesError(
            f"{where} = '{address}': {_one_line(error)}. Give package.module:function, importable "
            "from where the workflow runs"
        ) from error
    try:
        module = build(*args, **options)
    except Exception as error:
        logger.info("%s", where, exc_info=True)
        raise FacestagesError(
            f"{where} = '{address}': calling it without arguments failed: "
            f"{type(error).__name__}: {_one_line(error)}"
        ) from error
    if not isinstance(module, torch.nn.Module):
        raise FacestagesError(
            f"{where} = '{address}': returns a {type(module).__name__}, not a torch.nn.Module"
        )
    return module
