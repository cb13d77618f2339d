"""The order of axes of pictures and weights in memory."""

from __future__ import annotations

import torch


def lay_out(tensor: torch.Tensor, memory_format: torch.memory_format) -> torch.Tensor:
    """The tensor (n, channels, rows, columns) in an order of memory; a view where it is in it."""
    if memory_format == torch.contiguous_format and 1 in tensor.shape:
        # Where an axis has the length 1, torch calls both orders contiguous, and goes on with the
        # one that the strides say. A copy has the strides of this order.
        return tensor.clone(memory_format=memory_format)
    return tensor.contiguous(memory_format=memory_format)


def lay_out_weights(module: torch.nn.Module, memory_format: torch.memory_format) -> None:
    """Bring a convolution's kernels in an order of memory."""
    for weight in module.parameters():
        if not torch.nn.parameter.is_lazy(weight) and weight.dim() == 4:
            weight.data = lay_out(weight.data, memory_format)
