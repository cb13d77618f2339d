"""PyTorch modules as networks to record from."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Sequence

import numpy as np

import torch
from facestages.errors import FacestagesError
from facestages.networks.catalogue import InputSpec
from facestages.networks.inputs import prepare_images


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
        Output shape of every submodule that returns one tensor a call and is called once, without
        the batch axis, in the order of the forward pass.
    """

    def __init__(self, name: str, module: torch.nn.Module, input: InputSpec) -> None:
        self.name = name
        self.module = module.eval()
        self.input = input
        blank = np.zeros((1, input.size, input.size), np.uint8)
        names = [layer for layer, _ in module.named_modules() if layer]
        calls = self._called(names)
        once = [layer for layer in names if calls.count(layer) == 1]
        outputs = self.record(blank, once)
        self.layers = {layer: outputs[layer].shape[1:] for layer in calls if layer in outputs}

    def _called(self, names: Sequence[str]) -> list[str]:
        """Names of the submodules in the order of their calls; one that runs twice comes twice."""
        calls: list[str] = []
        modules = dict(self.module.named_modules())
        hooks = [
            modules[name].register_forward_hook(lambda *_, name=name: calls.append(name))
            for name in names
        ]
        try:
            with torch.inference_mode():
                self.module(torch.zeros(1, self.input.channels, *2 * (self.input.size,)))
        finally:
            for hook in hooks:
                hook.remove()
        return calls

    @property
    def weights_digest(self) -> str:
        """SHA-256 of all parameters and buffers, in the module's order."""
        sha = hashlib.sha256()
        for key, tensor in self.module.state_dict().items():
            sha.update(f"{key}{tuple(tensor.shape)}".encode())
            sha.update(tensor.cpu().numpy().tobytes())
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
        modules = dict(self.module.named_modules())
        hooks = [modules[layer].register_forward_hook(_keep(records, layer)) for layer in layers]
        try:
            pixels = prepare_images(images, self.input).transpose(0, 3, 1, 2)
            with torch.inference_mode():
                self.module(torch.from_numpy(np.ascontiguousarray(pixels)))
        finally:
            for hook in hooks:
                hook.remove()
        return records


def _keep(records: dict[str, np.ndarray], layer: str):
    def hook(module, inputs, output):
        if isinstance(output, torch.Tensor):
            # A copy: a later in-place operation would otherwise write into the record.
            records[layer] = output.detach().cpu().numpy().astype(np.float32, copy=True)

    return hook


def load_state(module: torch.nn.Module, path: str | os.PathLike) -> None:
    """Load a state dict into a module, strictly, without running anything that it might carry.

    Raises
    ------
    FacestagesError
        If the file is missing, is not a plain state dict, or does not fit the module.
    """
    if not os.path.exists(path):
        raise FacestagesError(f"{path}: no such file; check the network's 'weights' in the config")
    try:
        module.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError, pickle.UnpicklingError, AttributeError, TypeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise FacestagesError(f"{path}: is not a state dict of this module: {reason}") from error
