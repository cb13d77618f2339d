"""PyTorch modules as networks whose layers can be recorded."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import sys
from collections.abc import Collection, Iterator, Sequence

import numpy as np
import torch

from facestages.architectures import InputSpec
from facestages.errors import DeviceMemoryError, FacestagesError
from facestages.networks import is_kernel, no_gradient, require_spatial
from facestages.networks.devices import count_gpus, use_full_float32
from facestages.networks.forward_passes import (
    ANY_NUMBER,
    CHECK_INPUT,
    explain_pass,
    forward_pass,
    record_within_memory,
)
from facestages.networks.inputs import prepare_images
from facestages.networks.own_code import call_function
from facestages.networks.tokens import take, whole_layer
from facestages.networks.torch_layout import lay_out, lay_out_weights
from facestages.networks.torch_trace import (
    SIZES,
    Layers,
    Source,
    find_layers,
    is_plain,
    list_calls,
    watch,
)

logger = logging.getLogger(__name__)

# Pictures in a forward pass. On a processor, small batches are faster, as they fit its caches.
_BATCH, _GPU_BATCH = 8, 64

# Modules that turn logits into probabilities.
_SOFTMAX = (torch.nn.Softmax, torch.nn.LogSoftmax, torch.nn.Sigmoid)


class TorchNetwork:
    """A PyTorch module as a `networks.Network`.

    Its layers are the submodules that return a tensor with a row for each picture, in the order in
    which they finish. A submodule that runs several times counts once for each call: ``relu#1``,
    ``relu#2``. One that returns several tensors is a layer by the first, and each tensor has a name
    of its own: ``block[0]``, ``block[1]``, ``out[logits]``. Wherever the axis of pictures is, it
    comes first in a record. The parameters of a layer include those of its submodules; shared ones
    count once in ``n_parameters``.

    Parameters
    ----------
    name : str
        Its name in the config.
    module : torch.nn.Module
        Takes (n, channels, rows, columns) float32, or of its weights' type. It is put in
        evaluation mode.
    input : InputSpec
        Size, channels and scaling of the input.
    side_by_side : bool
        Whether several forward passes may run at the same time, as the module keeps nothing of one.

    Raises
    ------
    FacestagesError
        If pictures do not pass through the module.
    """

    def __init__(
        self, name: str, module: torch.nn.Module, input: InputSpec, side_by_side: bool = False
    ) -> None:
        use_full_float32("torch")
        if "torch._dynamo" in sys.modules:
            # Compiled code calls no hooks that come later.
            torch.compiler.set_stance("force_eager")
        self.name = name
        self._device = _best_device()
        self.module = module
        self.input = input
        on_gpu = self._device.type == "cuda"
        self.batch = _GPU_BATCH if on_gpu else _BATCH
        self.side_by_side = side_by_side and not on_gpu
        _use_evaluation_mode(name, module)
        _require_numbers(name, module)
        module.to(self._device)
        # A module that is registered in two places has both names.
        named = module.named_modules(remove_duplicate=False)
        self._modules = {layer: part for layer, part in named if layer}
        found = self._lay_out()
        self._sources, self.layers, self.unlisted = found
        parts = {layer: self._modules[self._source(layer).module] for layer in self.layers}
        self.kinds = {layer: type(part).__name__ for layer, part in parts.items()}
        self.parameters = {layer: _count(part) for layer, part in parts.items()}
        self.n_parameters = _count(module)

    def _source(self, layer: str) -> Source:
        return self._sources[whole_layer(layer)]

    def _lay_out(self) -> Layers:
        """Choose the order of axes in memory and the type of the pictures, and find the layers.

        On a processor, channels last is faster by up to a half, as measured. Not every module works
        with it: `view` needs each map in one piece.
        """
        usual = torch.contiguous_format, torch.float32
        attempts = [(torch.channels_last, torch.float32)] * (self._device.type == "cpu") + [usual]
        weights = next((w for w in self.module.parameters() if w.is_floating_point()), None)
        if weights is not None and weights.dtype != torch.float32:
            attempts.append((torch.contiguous_format, weights.dtype))
        for self._format, self._dtype in attempts:
            try:
                return self._find_layers()
            except (FacestagesError, MemoryError):
                raise
            # The code is the user's, and may fail in any way.
            except (Exception, SystemExit) as error:
                failure = error
        raise self._no_pass(failure) from failure

    def _no_pass(self, failure: BaseException) -> FacestagesError:
        rows, columns, channels = self.input.shape
        picture = f"network {self.name}: a picture of {channels}x{rows}x{columns}"
        try:
            self._forward(self._noise(1))
        except (Exception, SystemExit):
            return explain_pass(f"{picture} does not pass through it", failure, CHECK_INPUT)
        return explain_pass(f"{picture} passes through it, but not two", failure, ANY_NUMBER)

    def _find_layers(self) -> Layers:
        for part in self.module.modules():
            if isinstance(part, torch.nn.Conv2d):
                lay_out_weights(part, self._format)
        first = list_calls(self._modules, lambda: self._forward(self._noise(SIZES[0])))
        second = None
        if not is_plain(self._modules, first):
            with forward_pass(self.name):
                second = list_calls(self._modules, lambda: self._forward(self._noise(SIZES[1])))
        return find_layers(self._modules, first, second)

    def _noise(self, n: int) -> torch.Tensor:
        return torch.rand((n, *self.input.shape), generator=torch.Generator().manual_seed(0))

    def _forward(self, pixels: torch.Tensor) -> None:
        # Not in inference mode: what a module makes in its first pass and keeps, such as a table of
        # positions, could not take part in a gradient afterwards.
        with torch.no_grad():
            self.module(self._arrange(pixels))

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
        return record_within_memory(self, self._record, images, layers)

    def _record(self, images: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
        try:
            return self._record_batch(images, layers)
        except FacestagesError as error:
            if len(images) != 1 or isinstance(error, DeviceMemoryError):
                raise
        # Many modules squeeze away the axis of a single picture.
        twice = self._record_batch(np.repeat(images, 2, axis=0), layers)
        return {layer: output[:1] for layer, output in twice.items()}

    def _record_batch(self, images: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
        records: dict[str, np.ndarray] = {}
        wanted = self._by_call(layers)

        def keep(name: str, call: int, _, output: object) -> None:
            for layer in wanted.get((name, call), ()):
                tensor = self._source(layer).find(output)
                if tensor is not None:
                    # A copy, as a later operation in place would write into the record.
                    rows = _to_numpy(self._rows(layer, tensor))
                    records[layer] = np.ascontiguousarray(take(layer, rows))
            if len(records) == n_wanted:
                raise _AllRecorded

        n_wanted = len(set(layers))
        with (
            forward_pass(self.name),
            watch(self._modules_of(layers), keep),
            contextlib.suppress(_AllRecorded),
        ):
            self._forward(self._prepare(images))
        for layer in layers:
            wanted_shape = (len(images), *self.layers[layer])
            if layer not in records or records[layer].shape != wanted_shape:
                shape = records[layer].shape if layer in records else "nothing"
                raise FacestagesError(
                    f"network {self.name}: layer '{layer}' gives {shape}, and not {wanted_shape} "
                    f"as in its first forward pass. The shape must not depend on the pictures"
                )
        return {layer: records[layer] for layer in layers}

    def _by_call(self, layers: Collection[str]) -> dict[tuple[str, int], list[str]]:
        """The layers that each call of a module gives."""
        by_call: dict[tuple[str, int], list[str]] = {}
        for layer in dict.fromkeys(layers):
            source = self._source(layer)
            by_call.setdefault((source.module, source.call), []).append(layer)
        return by_call

    def _modules_of(self, layers: Collection[str]) -> dict[str, torch.nn.Module]:
        return {name: self._modules[name] for name, _ in self._by_call(layers)}

    def _rows(self, layer: str, tensor: torch.Tensor) -> torch.Tensor:
        """The tensor with the axis of pictures first."""
        return tensor.movedim(self._source(layer).axis, 0)

    def _prepare(self, images: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(prepare_images(images, self.input)))

    def _arrange(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pictures (n, rows, columns, channels) as the module takes them, with channels second; a
        view if the module has channels last in memory."""
        pixels = pixels.to(self._device, self._dtype).permute(0, 3, 1, 2)
        return lay_out(pixels, self._format)

    def differentiate(
        self, images: np.ndarray, layers: Sequence[str], output: str, units: np.ndarray
    ) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """See `networks.Network.differentiate`."""
        require_spatial(self.name, self.layers, layers)
        try:
            return self._differentiate(images, layers, output, units)
        except FacestagesError:
            if len(images) != 1:
                raise
        # As in `record`.
        twice = [np.repeat(each, 2, axis=0) for each in (images, units)]
        pairs = self._differentiate(twice[0], layers, output, twice[1])
        return {layer: (maps[:1], gradients[:1]) for layer, (maps, gradients) in pairs.items()}

    def _differentiate(
        self, images: np.ndarray, layers: Sequence[str], output: str, units: np.ndarray
    ) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        kept: dict[str, torch.Tensor] = {}
        versions: dict[str, int] = {}
        wanted = self._by_call({*layers, output})

        def keep(name: str, call: int, inputs: tuple, out: object) -> torch.Tensor | None:
            for layer in wanted.get((name, call), ()):
                kept[layer] = self._source(layer).find(out)
                if layer == output and isinstance(self._modules[name], _SOFTMAX):
                    kept[layer] = inputs[0]
                versions[layer] = kept[layer]._version
            # The network goes on with a copy, so that operations in place do not change this one.
            is_kept = any(out is each for each in kept.values())
            return out.clone() if is_kept and isinstance(out, torch.Tensor) else None

        with (
            forward_pass(self.name),
            watch(self._modules_of({*layers, output}), keep),
            torch.enable_grad(),
        ):
            # The input requires a gradient, since all weights may be frozen. It is copied, since
            # operations in place are forbidden on such a tensor.
            self.module(self._arrange(self._prepare(images)).requires_grad_().clone())
            logits = take(output, self._rows(output, kept[output])).flatten(1)
            chosen = logits[torch.arange(len(logits)), torch.as_tensor(units, dtype=torch.long)]
            maps = [kept[layer] for layer in layers]
            gradients = _gradients(chosen.sum(), maps)
            if any(tensor._version != versions[layer] for layer, tensor in kept.items()):
                raise RuntimeError("an operation in place changes a layer of several tensors")
        for layer, gradient in zip(layers, gradients, strict=True):
            if gradient is None:
                raise no_gradient(self.name, output, layer)
        return {
            layer: tuple(_channels_last(self._rows(layer, tensor)) for tensor in pair)
            for layer, *pair in zip(layers, maps, gradients, strict=True)
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


def _use_evaluation_mode(name: str, module: torch.nn.Module) -> None:
    """Put a module and all of its parts in evaluation mode, whatever its own `train` does."""
    try:
        module.eval()
    except Exception:
        logger.info("network %s", name, exc_info=True)
    for part, each in module.named_modules():
        if each.training:
            logger.warning("network %s: '%s' is put in evaluation mode by force", name, part)
            each.training = False


def _require_numbers(name: str, module: torch.nn.Module) -> None:
    """Refuse a module that has weights or buffers without memory."""
    for part, tensor in [*module.named_parameters(), *module.named_buffers()]:
        if tensor.is_meta:
            raise FacestagesError(
                f"network {name}: '{part}' is on the device 'meta', where it has no numbers. Build "
                f"the module on the processor, or give all of its weights under 'weights'"
            )


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
    """Build a module with a function, see `own_code.call_function`; `seed` is that of its initial
    weights."""
    torch.manual_seed(seed)
    module = call_function(address, *args, where=where, **options)
    if not isinstance(module, torch.nn.Module):
        raise FacestagesError(
            f"{where} = '{address}': returns a {type(module).__name__}, not a torch.nn.Module"
        )
    return module
