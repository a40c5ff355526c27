"""Pictures in other sizes, each pixel the mean of those around its place, by weights that fall off from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from assay.converters.pytorch.lowerings.registry import Lowering, decomposes
from assay.converters.pytorch.lowerings.spectra import count

aten = torch.ops.aten
Filter = Callable[[torch.Tensor], torch.Tensor]


def _linear(distance: torch.Tensor) -> torch.Tensor:
    return torch.clamp(1 - distance, min=0.0)


def _cubic(distance: torch.Tensor) -> torch.Tensor:
    """Keys' kernel with a = -1/2."""
    near = (1.5 * distance - 2.5) * distance * distance + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return torch.where(distance < 1, near, torch.where(distance < 2, far, 0.0))


def _step(size: int, wanted: int, align_corners: bool, scale: float | None) -> torch.Tensor | float:
    """How many old pixels a new one spans."""
    if align_corners:
        return (count(size) - 1).to(torch.float64) / torch.clamp(count(wanted) - 1, min=1)
    return 1 / scale if scale else count(size).to(torch.float64) / count(wanted)


def _weights(size: int, wanted: int, step: torch.Tensor | float, curve: Filter, reach: int) -> torch.Tensor:
    """A row of weights for each new pixel, whose sum is one."""
    span = torch.clamp(step, min=1.0) if isinstance(step, torch.Tensor) else max(step, 1.0)
    center = (torch.arange(wanted).to(torch.float64)[:, None] + 0.5) * step
    places = torch.arange(size).to(torch.float64)[None, :]
    first = torch.clamp(torch.floor(center - reach * span + 0.5), min=0.0)
    end = torch.floor(center + reach * span + 0.5)
    weights = torch.where((places >= first) & (places < end), curve((places - center + 0.5).abs() / span), 0.0)
    return weights / weights.sum(-1, keepdim=True)


def _resizing(curve: Filter, reach: int) -> Lowering:
    def resize(
        tensor: torch.Tensor,
        output_size: Sequence[int],
        align_corners: bool,
        scales_h: float | None = None,
        scales_w: float | None = None,
    ) -> torch.Tensor:
        for axis, scale in ((-1, scales_w), (-2, scales_h)):
            size, wanted = tensor.shape[axis], output_size[axis]
            step = _step(size, wanted, align_corners, scale)
            weights = _weights(size, wanted, step, curve, reach).to(tensor.dtype)
            tensor = (tensor.transpose(axis, -1) @ weights.mT).transpose(axis, -1)
        return tensor

    return resize


def _is_unusual(node: torch.fx.Node) -> bool:
    """Whether corners are aligned or a scale is not that of the sizes, which ONNX's operator takes otherwise."""
    return bool(node.args[2]) or any(scale is not None for scale in (*node.args[3:], *node.kwargs.values()))


decomposes(aten._upsample_bilinear2d_aa.default, condition=_is_unusual, wrong_upstream=True)(_resizing(_linear, 1))
decomposes(aten._upsample_bicubic2d_aa.default, condition=_is_unusual)(_resizing(_cubic, 2))
