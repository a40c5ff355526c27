"""Edges that are repeated, mirrored or carried around where others are cut, and transposed convolutions cut short."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from assay.converters.pytorch.lowerings.arguments import argument, each
from assay.converters.pytorch.lowerings.registry import Lowering, decomposes

aten = torch.ops.aten
T = torch.Tensor


def _cuts(node: torch.fx.Node) -> bool:
    sizes = node.args[1]
    edges = argument(node, 2, "mode", "constant") != "constant"
    return edges and any(isinstance(size, int) and size < 0 for size in sizes)  # type: ignore[union-attr]


def _places(size: int, before: int, after: int, mode: str) -> T:
    """Where each element of an axis comes from."""
    places = torch.arange(size + before + after) - before
    if mode == "replicate":
        return torch.clamp(places, 0, size - 1)
    if mode == "reflect":
        return (size - 1) - ((size - 1) - places.abs()).abs()
    cut = max(-before, 0)
    kept = size - cut - max(-after, 0)
    return (places - cut) % kept + cut


@decomposes(aten.pad.default, condition=_cuts)
def pad(tensor: T, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> T:
    """Each axis by where its elements come from."""
    if mode == "constant" or not any(isinstance(size, int) and size < 0 for size in pad):
        return NotImplemented  # type: ignore[no-any-return]
    for axis in range(len(pad) // 2):
        before, after = pad[2 * axis : 2 * axis + 2]
        dim = tensor.ndim - 1 - axis
        tensor = tensor.index_select(dim, _places(tensor.shape[dim], before, after, mode))
    return tensor


def _reaches_out(node: torch.fx.Node) -> bool:
    """Whether the output is longer by a stride or more, which ONNX Runtime forbids."""
    strides, more = argument(node, 3, "stride", 1), argument(node, 5, "output_padding", 0)
    return any(b >= a for a, b in zip(each(strides, 3), each(more, 3), strict=False))


def _transposed(count: int) -> Lowering:
    operator = getattr(torch.nn.functional, f"conv_transpose{count}d")

    def convolve(
        tensor: T,
        weight: T,
        bias: T | None = None,
        stride: Sequence[int] = (1,),
        padding: Sequence[int] = (0,),
        output_padding: Sequence[int] = (0,),
        groups: int = 1,
        dilation: Sequence[int] = (1,),
    ) -> T:
        """With zeros added and edges cut afterwards."""
        whole = operator(tensor, weight, None, stride, 0, 0, groups, dilation)
        edges: list[int] = []
        for cut, more in zip(reversed(each(padding, count)), reversed(each(output_padding, count)), strict=True):
            edges += [-cut, more - cut]
        padded = torch.constant_pad_nd(whole, edges)
        return padded if bias is None else padded + bias.reshape(-1, *(1 for _ in range(count)))

    return convolve


_CONVOLUTIONS = {1: aten.conv_transpose1d.default, 2: aten.conv_transpose2d.input, 3: aten.conv_transpose3d.input}
for _count, _operator in _CONVOLUTIONS.items():
    decomposes(_operator, condition=_reaches_out, wrong_upstream=_count > 1)(_transposed(_count))
