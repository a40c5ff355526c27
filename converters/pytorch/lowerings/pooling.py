"""Pooling: divisors of one's own, windows that adapt to sizes known only when the model runs, and the way back."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from assay.converters.pytorch.lowerings.arguments import argument, each
from assay.converters.pytorch.lowerings.registry import Lowering, decomposes

aten = torch.ops.aten


def _divides(node: torch.fx.Node) -> bool:
    return argument(node, 6, "divisor_override") is not None


def _sums(
    tensor: torch.Tensor, kernel: list[int], stride: list[int], padding: list[int], ceil_mode: bool
) -> torch.Tensor:
    """The sum of each window."""
    count, pads = len(kernel), []
    for axis in reversed(range(count)):
        size, more = tensor.shape[axis - count] + 2 * padding[axis] - kernel[axis], 0
        if ceil_mode:
            steps = (size + stride[axis] - 1) // stride[axis]
            steps = steps - 1 if steps * stride[axis] >= tensor.shape[axis - count] + padding[axis] else steps
            more = torch.sym_max(steps * stride[axis] - size, 0)
        pads += [padding[axis], padding[axis] + more]
    padded = torch.nn.functional.pad(tensor, pads)
    pool = torch.nn.functional.avg_pool2d if count == 2 else torch.nn.functional.avg_pool3d
    elements = 1
    for size in kernel:
        elements *= size
    means: torch.Tensor = pool(padded, kernel, stride)
    return means * elements


def _averaging(count: int) -> Lowering:
    def pool(
        tensor: torch.Tensor,
        kernel_size: Sequence[int],
        stride: Sequence[int] = (),
        padding: Sequence[int] = (0,),
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> torch.Tensor:
        if divisor_override is None:
            return NotImplemented  # type: ignore[no-any-return]
        kernel = each(kernel_size, count)
        steps = each(stride, count) if stride else kernel
        return _sums(tensor, kernel, steps, each(padding, count), ceil_mode) / divisor_override

    return pool


decomposes(aten.avg_pool2d.default, condition=_divides, wrong_upstream=True)(_averaging(2))
decomposes(aten.avg_pool3d.default, condition=_divides, wrong_upstream=True)(_averaging(3))


def _windows(size: int, wanted: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """For each window its elements' places, which of them count, and how many; windows have room for the longest."""
    steps = torch.arange(wanted)
    start, end = steps * size // wanted, ((steps + 1) * size + wanted - 1) // wanted
    places = start[:, None] + torch.arange(size // wanted + 2)
    inside = places < end[:, None]
    return torch.where(inside, places, 0), inside, end - start


def _gathered(tensor: torch.Tensor, sizes: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Windows of the last axes, as ``[..., windows, elements]``; which elements count, and their places in a plane."""
    count = len(sizes)
    lead, planes = tensor.shape[:-count], tensor.shape[-count:]
    places, inside = torch.zeros(1, 1, dtype=torch.int64), torch.ones(1, 1, dtype=torch.bool)
    for size, wanted in zip(planes, sizes, strict=True):
        own, counted, _ = _windows(size, wanted)
        places = places[:, None, :, None] * size + own[None, :, None, :]
        inside = inside[:, None, :, None] & counted[None, :, None, :]
        places, inside = (each.flatten(2).flatten(0, 1) for each in (places, inside))
    flat = tensor.flatten(-count)
    taken = flat.index_select(-1, places.reshape(-1)).reshape(*lead, *places.shape)
    return taken, inside, places


def _sizes(tensor: torch.Tensor, wanted: Sequence[int | None], count: int) -> list[int]:
    listed = list(wanted) * count if len(wanted) == 1 else wanted
    return [tensor.shape[axis - count] if size is None else size for axis, size in enumerate(listed)]


def _is_unsteady(node: torch.fx.Node) -> bool:
    """Whether the sizes of the planes are known only when the model runs, and not pooled to one element."""
    tensor, sizes = node.args[0], node.args[1]
    assert isinstance(tensor, torch.fx.Node)
    count = 3 if "3d" in str(node.target) else 2 if "2d" in str(node.target) else 1
    dynamic = any(not isinstance(size, int) for size in tensor.meta["val"].shape[-count:])
    return dynamic and any(size != 1 for size in sizes)  # type: ignore[union-attr]


def _adaptive_average(count: int) -> Lowering:
    def pool(tensor: torch.Tensor, output_size: Sequence[int]) -> torch.Tensor:
        sizes = _sizes(tensor, output_size, count)
        taken, inside, _ = _gathered(tensor, sizes)
        sums = torch.where(inside, taken, 0.0).sum(-1)
        means = sums / inside.sum(-1).to(tensor.dtype)
        return means.reshape(*tensor.shape[:-count], *sizes)

    return pool


def _adaptive_maximum(count: int) -> Lowering:
    def pool(tensor: torch.Tensor, output_size: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        sizes = _sizes(tensor, output_size, count)
        taken, inside, places = _gathered(tensor, sizes)
        values, best = torch.where(inside, taken, -torch.inf).max(-1)
        shown = places.expand(*best.shape, places.shape[-1])
        indices = shown.gather(-1, best.unsqueeze(-1)).squeeze(-1)
        shape = (*tensor.shape[:-count], *sizes)
        return values.reshape(shape), indices.reshape(shape)

    return pool


decomposes(aten.adaptive_avg_pool1d.default, condition=_is_unsteady)(_adaptive_average(1))
decomposes(aten.adaptive_avg_pool2d.default, condition=_is_unsteady, wrong_upstream=True)(_adaptive_average(2))
decomposes(aten._adaptive_avg_pool2d.default, condition=_is_unsteady)(_adaptive_average(2))
decomposes(aten.adaptive_avg_pool3d.default)(_adaptive_average(3))
decomposes(aten._adaptive_avg_pool3d.default)(_adaptive_average(3))
decomposes(aten.adaptive_max_pool1d.default)(_adaptive_maximum(1))
decomposes(aten.adaptive_max_pool2d.default, wrong_upstream=True)(_adaptive_maximum(2))
decomposes(aten.adaptive_max_pool3d.default)(_adaptive_maximum(3))


def _unpooled(tensor: torch.Tensor, indices: torch.Tensor, output_size: Sequence[int], count: int) -> torch.Tensor:
    lead = tensor.shape[:-count]
    elements = 1
    for size in output_size:
        elements = elements * size
    zeros = tensor.new_zeros((*lead, elements))
    flat = zeros.scatter(-1, indices.flatten(-count), tensor.flatten(-count))
    return flat.reshape(*lead, *output_size)


@decomposes(aten.max_unpool2d.default)
def max_unpool2d(tensor: torch.Tensor, indices: torch.Tensor, output_size: Sequence[int]) -> torch.Tensor:
    """Values back at the places that they were pooled from."""
    return _unpooled(tensor, indices, output_size, 2)


@decomposes(aten.max_unpool3d.default)
def max_unpool3d(
    tensor: torch.Tensor,
    indices: torch.Tensor,
    output_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
) -> torch.Tensor:
    """Values back at the places that they were pooled from."""
    return _unpooled(tensor, indices, output_size, 3)
