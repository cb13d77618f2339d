"""PyTorch modules as networks whose layers can be recorded."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import logging
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np
import torch

from facestages.architectures import InputSpec
from facestages.errors import FacestagesError, name_error, shorten
from facestages.networks import forward_pass, is_kernel, require_spatial
from facestages.networks.devices import count_gpus, use_full_float32
from facestages.networks.inputs import prepare_images

logger = logging.getLogger(__name__)

# Pictures in a forward pass. On a processor, small batches are faster, as they fit its caches.
_BATCH, _GPU_BATCH = 8, 64

# Modules that turn logits into probabilities.
_SOFTMAX = (torch.nn.Softmax, torch.nn.LogSoftmax, torch.nn.Sigmoid)


class TorchNetwork:
    """A PyTorch module as a `networks.Network`.

    Its layers are the submodules that return one tensor with a row for each picture, in the order
    in which they finish. A submodule that runs several times counts once for each call:
    ``relu#1``, ``relu#2``. The parameters of a layer include those of its submodules; shared ones
    count once in ``n_parameters``.

    Parameters
    ----------
    name : str
        Its name in the config.
    module : torch.nn.Module
        Takes (n, channels, rows, columns) float32. It is put in evaluation mode.
    input : InputSpec
        Size, channels and scaling of the input.
    side_by_side : bool
        Whether several forward passes may run at the same time, as the module keeps nothing of one.

    Raises
    ------
    FacestagesError
        If a picture does not pass through the module.
    """

    def __init__(
        self, name: str, module: torch.nn.Module, input: InputSpec, side_by_side: bool = False
    ) -> None:
        use_full_float32("torch")
        self.name = name
        self._device = _best_device()
        self.module = module.eval().to(self._device)
        self.input = input
        on_gpu = self._device.type == "cuda"
        self.batch = _GPU_BATCH if on_gpu else _BATCH
        self.side_by_side = side_by_side and not on_gpu
        # A module that is registered in two places has both names.
        named = module.named_modules(remove_duplicate=False)
        self._modules = {layer: part for layer, part in named if layer}
        shapes = self._lay_out()
        self.layers = {layer: shape for (layer, _), shape in shapes.items()}
        self.kinds = {layer: type(part).__name__ for (layer, part), _ in shapes.items()}
        self.parameters = {layer: _count(part) for (layer, part), _ in shapes.items()}
        self.n_parameters = _count(module)

    def _lay_out(self) -> dict[tuple[str, torch.nn.Module], tuple[int, ...]]:
        """Choose the order of axes in memory, and return what `_trace` returns.

        On a processor, channels last is faster by up to a half, as measured. Not every module works
        with it: `view` needs each map in one piece.
        """
        if self._device.type == "cpu":
            with contextlib.suppress(FacestagesError):
                return self._trace(torch.channels_last)
        return self._trace(torch.contiguous_format)

    def _trace(
        self, memory_format: torch.memory_format
    ) -> dict[tuple[str, torch.nn.Module], tuple[int, ...]]:
        """Layer and module, and its output shape, of every call that returns a tensor."""
        self._format = memory_format
        for part in self.module.modules():
            if isinstance(part, torch.nn.Conv2d) and not torch.nn.parameter.is_lazy(part.weight):
                part.to(memory_format=memory_format)
        calls: list[tuple[str, tuple[int, ...]]] = []
        # With two pictures, an output with a row for each picture has length 2.
        blank = self._arrange(torch.zeros(2, *self.input.shape))
        try:
            with (
                self._watch(self._modules, lambda name, _, out: calls.append((name, out.shape))),
                torch.inference_mode(),
            ):
                self.module(blank)
        except FacestagesError:
            raise
        except (Exception, SystemExit) as error:
            shape = "x".join(map(str, blank.shape[1:]))
            raise FacestagesError(
                f"network {self.name}: a picture of {shape} does not pass through it: "
                f"{name_error(error)}. Check 'input' in the config"
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
        self,
        names: Sequence[str],
        see: Callable[[str, tuple, torch.Tensor], torch.Tensor | None],
    ) -> Iterator[None]:
        """Call ``see(name, inputs, output)`` whenever a named module returns a tensor.

        If `see` returns a tensor, it replaces the output. Forward passes of other threads do not
        call it.
        """
        thread = threading.get_ident()

        def hook_of(name):
            def hook(module, inputs, output):
                if isinstance(output, torch.Tensor) and threading.get_ident() == thread:
                    return see(name, inputs, output)
                return None

            return hook

        hooks = [self._modules[name].register_forward_hook(hook_of(name)) for name in names]
        try:
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
            # As bytes, since NumPy has no bfloat16.
            sha.update(tensor.cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
        return sha.hexdigest()

    def record(self, images: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
        """See `networks.Network.record`."""
        assert not self.module.training
        records: dict[str, np.ndarray] = {}
        layer_of = _call_counter(layers)

        def keep(name: str, _, output: torch.Tensor) -> None:
            layer = layer_of(name)
            if layer in layers:
                # A copy, as a later operation in place would write into the record.
                records[layer] = _to_numpy(output)
                if len(records) == wanted:
                    raise _AllRecorded

        wanted = len(set(layers))
        with (
            forward_pass(self.name),
            self._watch(_modules_of(layers), keep),
            torch.inference_mode(),
            contextlib.suppress(_AllRecorded),
        ):
            self.module(self._prepare(images))
        for layer in layers:
            wanted_shape = (len(images), *self.layers[layer])
            if layer not in records or records[layer].shape != wanted_shape:
                shape = records[layer].shape if layer in records else "nothing"
                raise FacestagesError(
                    f"network {self.name}: layer '{layer}' gives {shape}, and not {wanted_shape} "
                    f"as in its first forward pass. Its outputs must not depend on the pictures"
                )
        return {layer: records[layer] for layer in layers}

    def _prepare(self, images: np.ndarray) -> torch.Tensor:
        pixels = np.ascontiguousarray(prepare_images(images, self.input))
        return self._arrange(torch.from_numpy(pixels))

    def _arrange(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pictures (n, rows, columns, channels) as the module takes them, with channels second; a
        view if the module has channels last in memory."""
        pixels = pixels.to(self._device).permute(0, 3, 1, 2)
        return pixels.contiguous(memory_format=self._format)

    def differentiate(
        self, images: np.ndarray, layers: Sequence[str], output: str, units: np.ndarray
    ) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """See `networks.Network.differentiate`."""
        assert not self.module.training
        require_spatial(self.name, self.layers, layers)
        kept: dict[str, torch.Tensor] = {}
        wanted = {*layers, output}
        layer_of = _call_counter(wanted)

        def keep(name: str, inputs: tuple, out: torch.Tensor) -> torch.Tensor | None:
            layer = layer_of(name)
            if layer not in wanted:
                return None
            if layer == output and isinstance(self._modules[name], _SOFTMAX):
                kept[layer] = inputs[0]
                return None
            kept[layer] = out
            # The network goes on with a copy, so that operations in place do not change this one.
            return out.clone()

        with (
            forward_pass(self.name),
            self._watch(_modules_of(wanted), keep),
            torch.enable_grad(),
        ):
            # The input requires a gradient, since all weights may be frozen. It is copied, since
            # operations in place are forbidden on such a tensor.
            self.module(self._prepare(images).requires_grad_().clone())
            logits = kept[output].flatten(1)
            chosen = logits[torch.arange(len(logits)), torch.as_tensor(units, dtype=torch.long)]
            maps = [kept[layer] for layer in layers]
            gradients = _gradients(chosen.sum(), maps)
        for layer, gradient in zip(layers, gradients, strict=True):
            if gradient is None:
                raise FacestagesError(
                    f"network {self.name}: '{output}' does not depend on layer '{layer}', or not "
                    f"smoothly; name a layer before it"
                )
        return {
            layer: (_channels_last(each), _channels_last(gradient))
            for layer, each, gradient in zip(layers, maps, gradients, strict=True)
        }

    @contextlib.contextmanager
    def randomised(self, seed: int) -> Iterator[None]:
        """See `networks.Network.randomised`."""
        kernels = [w for w in self.module.parameters() if is_kernel(tuple(w.shape))]
        kept = [kernel.detach().clone() for kernel in kernels]
        rng = np.random.default_rng(seed)
        try:
            with torch.no_grad():
                for kernel, values in zip(kernels, kept, strict=True):
                    order = torch.from_numpy(rng.permutation(values.numel()))
                    kernel.copy_(values.flatten()[order].view_as(kernel))
            yield
        finally:
            with torch.no_grad():
                for kernel, values in zip(kernels, kept, strict=True):
                    kernel.copy_(values)


class _AllRecorded(Exception):
    """Ends a forward pass after the last layer that is recorded."""


def _modules_of(layers: Collection[str]) -> set[str]:
    return {layer.partition("#")[0] for layer in layers}


def _call_counter(layers: Collection[str]) -> Callable[[str], str]:
    """Function that names the layer of a module's next call."""
    seen: Counter[str] = Counter()

    def layer_of(name: str) -> str:
        seen[name] += 1
        return name if name in layers else f"{name}#{seen[name]}"

    return layer_of


def _gradients(value: torch.Tensor, tensors: list[torch.Tensor]) -> list[torch.Tensor | None]:
    """Gradient of `value` with respect to each tensor; None for one that it does not depend on."""
    followed = [each for each in tensors if each.requires_grad] if value.requires_grad else []
    gradients = torch.autograd.grad(value, followed, allow_unused=True) if followed else ()
    by_tensor = {id(each): gradient for each, gradient in zip(followed, gradients, strict=True)}
    return [by_tensor.get(id(each)) for each in tensors]


def _best_device() -> torch.device:
    return torch.device("cuda" if count_gpus("torch") else "cpu")


def _to_numpy(output: torch.Tensor) -> np.ndarray:
    """A copy in float32 on the processor, in C order."""
    if output.is_complex():
        raise TypeError("complex numbers cannot be recorded")
    order = torch.contiguous_format
    return output.to("cpu", torch.float32, copy=True, memory_format=order).numpy()


def _channels_last(maps: torch.Tensor) -> np.ndarray:
    return _to_numpy(maps.detach().permute(0, 2, 3, 1))


def _count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def build_module(address: str, seed: int, *args, where: str, **options) -> torch.nn.Module:
    """Build a module with ``package.module:function``, which may lie where the workflow runs.

    Parameters
    ----------
    address : str
        ``package.module:function``.
    seed : int
        Seed of the initial weights.
    where : str
        The key of the config that gives the address, for error messages.
    *args, **options
        Arguments of the function.

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
    except (ModuleNotFoundError, AttributeError, ValueError) as error:
        raise FacestagesError(
            f"{where} = '{address}': {shorten(error, 200)}. Give package.module:function, "
            "importable from where the workflow runs"
        ) from error
    # The code is the user's, and may fail in any way.
    except (Exception, SystemExit) as error:
        logger.info("%s", where, exc_info=True)
        raise FacestagesError(
            f"{where} = '{address}': importing it failed: {name_error(error)}"
        ) from error
    try:
        module = build(*args, **options)
    except (Exception, SystemExit) as error:
        logger.info("%s", where, exc_info=True)
        raise FacestagesError(
            f"{where} = '{address}': calling it without arguments failed: {name_error(error)}"
        ) from error
    if not isinstance(module, torch.nn.Module):
        raise FacestagesError(
            f"{where} = '{address}': returns a {type(module).__name__}, not a torch.nn.Module"
        )
    return module
