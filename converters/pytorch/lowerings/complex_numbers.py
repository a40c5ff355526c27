"""Complex numbers where the exporter has an operator for real ones alone: the same operator on pairs of real numbers.

A tensor of pairs has one axis more, the last, so an axis counted from the end is one further away.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from assay.converters.pytorch.lowerings.registry import decomposes

aten = torch.ops.aten


def is_complex(node: torch.fx.Node) -> bool:
    """Whether a call is of complex numbers."""
    tensor = node.args[0]
    return isinstance(tensor, torch.fx.Node) and tensor.meta["val"].is_complex()


@decomposes(aten.unsqueeze.default, condition=is_complex)
def unsqueeze(tensor: torch.Tensor, dim: int) -> torch.Tensor:
    """An axis of one element."""
    if not tensor.is_complex():
        return NotImplemented  # type: ignore[no-any-return]
    return torch.view_as_complex(torch.view_as_real(tensor).unsqueeze(dim % (tensor.ndim + 1)))


@decomposes(aten.expand.default, condition=is_complex)
def expand(tensor: torch.Tensor, size: Sequence[int], *, implicit: bool = False) -> torch.Tensor:
    """Axes of one element repeated."""
    if not tensor.is_complex():
        return NotImplemented  # type: ignore[no-any-return]
    return torch.view_as_complex(torch.view_as_real(tensor).expand([*size, -1], implicit=implicit).contiguous())


@decomposes(aten.select.int, condition=is_complex)
def select(tensor: torch.Tensor, dim: int, index: int) -> torch.Tensor:
    """One place of an axis."""
    if not tensor.is_complex():
        return NotImplemented  # type: ignore[no-any-return]
    return torch.view_as_complex(torch.view_as_real(tensor).select(dim % tensor.ndim, index))


@decomposes(aten.constant_pad_nd.default, condition=is_complex)
def constant_pad_nd(tensor: torch.Tensor, pad: Sequence[int], value: float = 0) -> torch.Tensor:
    """The parts are padded."""
    if not tensor.is_complex():
        return NotImplemented  # type: ignore[no-any-return]
    return torch.view_as_complex(torch.constant_pad_nd(torch.view_as_real(tensor), [0, 0, *pad], value))
