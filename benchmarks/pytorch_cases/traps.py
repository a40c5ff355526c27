"""Small modules of ordinary code that exporters get wrong or crash on; every one is tried at several sizes."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from outcomes import Unjudgeable

from assay.converters.examples import typical_feeds
from assay.specs.interface import Axis, parse_spec
from pytorch_cases.case import Case, Feeds


class Function(torch.nn.Module):
    """A module of a function of its inputs."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *tensors: torch.Tensor) -> Any:
        """What the function gives."""
        return self.function(*tensors)


@dataclass(frozen=True)
class Trap:
    """A function, its inputs, and the sizes of the dynamic axes at which it is tried besides the traced ones."""

    function: Callable[..., Any]
    inputs: tuple[str, ...]
    sizes: tuple[Mapping[str, int], ...] = ()


_IMAGE = ("float32[batch=2,3,height>=4=12,width>=4=16]",)
_ODD: tuple[Mapping[str, int], ...] = (
    {"batch": 2, "height": 7, "width": 11},
    {"batch": 1, "height": 15, "width": 9},
    {"batch": 3, "height": 12, "width": 16},
)
_ROWS = ("float32[rows>=2=6,5]",)
_MANY: tuple[Mapping[str, int], ...] = ({"rows": 2}, {"rows": 9}, {"rows": 3})
_TOKENS: tuple[Mapping[str, int], ...] = ({"batch": 1, "length": 9}, {"batch": 3, "length": 4})


def _attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    return F.scaled_dot_product_attention(query, key, value)


def _masked(tensor: torch.Tensor) -> torch.Tensor:
    mask = torch.ones(tensor.shape[-2], tensor.shape[-2], dtype=torch.bool).tril(-1)
    return F.scaled_dot_product_attention(tensor, tensor, tensor, attn_mask=mask)


def _batch_statistics(tensor: torch.Tensor) -> torch.Tensor:
    normalized: torch.Tensor = F.batch_norm(tensor, None, None, training=True)
    return normalized


def _branch(tensor: torch.Tensor) -> torch.Tensor:
    return tensor + 1 if tensor.shape[0] * 2 > 12 else tensor - 1


def _halves(tensor: torch.Tensor) -> torch.Tensor:
    size = tensor.shape[0] // 2
    first, second = tensor.split([size, tensor.shape[0] - size])
    difference: torch.Tensor = first.sum(0) - second.sum(0)
    return difference


def _index_put(tensor: torch.Tensor) -> torch.Tensor:
    result = tensor.clone()
    result[result > 0] = -1.0
    return result


def _slice_assigned(tensor: torch.Tensor) -> torch.Tensor:
    result = tensor.clone()
    result[1:, ::2] = tensor[1:, ::2] * 2
    return result


def _far_grid(picture: torch.Tensor) -> torch.Tensor:
    grid = picture[:, :2].movedim(1, -1) * 1e10
    return F.grid_sample(picture, grid, padding_mode="border", align_corners=False)


def _three_parts(tensor: torch.Tensor) -> torch.Tensor:
    first, second, third = torch.cat([tensor * 2, tensor, tensor + 1]).chunk(3)
    return first + second * third


def _triangular(right: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    size = right.shape[1]
    matrix = torch.cos(torch.arange(size * size).reshape(size, size) * 1.0) / size
    lower = torch.linalg.solve_triangular(matrix + torch.eye(size), right, upper=False, unitriangular=True)
    return lower, torch.linalg.solve_triangular(matrix + torch.eye(size), right, upper=True)


def _turned(tensor: torch.Tensor) -> torch.Tensor:
    """As rotary positions are written where they are complex numbers."""
    turns = torch.polar(torch.ones_like(tensor), tensor).unsqueeze(1)
    pairs = torch.view_as_complex(torch.stack([tensor, tensor + 1], -1))[:, None].expand(-1, 3, -1)
    return torch.view_as_real((pairs * turns).select(1, -1))


TRAPS: Mapping[str, Trap] = {
    "avg_pool2d with divisor_override": Trap(lambda x: F.avg_pool2d(x, 3, 2, divisor_override=2), _IMAGE, _ODD),
    "avg_pool3d with divisor_override": Trap(
        lambda x: F.avg_pool3d(x[:, None], 2, 1, divisor_override=3), _IMAGE, _ODD
    ),
    "avg_pool2d with ceil_mode": Trap(lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True), _IMAGE, _ODD),
    "interpolate by a scale that does not divide": Trap(
        lambda x: F.interpolate(x, scale_factor=1.7, mode="bilinear"), _IMAGE, _ODD
    ),
    "interpolate by half, bicubic": Trap(lambda x: F.interpolate(x, scale_factor=0.5, mode="bicubic"), _IMAGE, _ODD),
    "interpolate with antialias": Trap(
        lambda x: F.interpolate(x, size=(5, 7), mode="bilinear", antialias=True), _IMAGE, _ODD
    ),
    "interpolate to the nearest by a scale": Trap(lambda x: F.interpolate(x, scale_factor=0.6), _IMAGE, _ODD),
    "batch_norm in training": Trap(_batch_statistics, _IMAGE, _ODD),
    "attention with a row that is fully masked": Trap(_masked, ("float32[batch=2,3,length=6,8]",), _TOKENS),
    "attention of three axes": Trap(_attention, ("float32[batch=2,length=6,8]",) * 3, _TOKENS),
    "attention of five axes": Trap(_attention, ("float32[batch=2,2,3,length=6,8]",) * 3, _TOKENS),
    "a grid that points far away": Trap(_far_grid, _IMAGE, _ODD),
    "log_ndtr": Trap(lambda x: torch.special.log_ndtr(x * 10), _ROWS, _MANY),
    "expm1 near zero": Trap(lambda x: torch.expm1(x * 1e-4), _ROWS, _MANY),
    "a constant that is nearly zero": Trap(lambda x: (x - x) / (x - x + 1e-9), _ROWS, _MANY),
    "adaptive average of sizes that do not divide": Trap(lambda x: F.adaptive_avg_pool2d(x, (5, 3)), _IMAGE, _ODD),
    "adaptive average of one": Trap(lambda x: F.adaptive_avg_pool2d(x, 1), _IMAGE, _ODD),
    "adaptive maximum": Trap(lambda x: F.adaptive_max_pool2d(x, (4, 4)), _IMAGE, _ODD),
    "nonzero of a scalar": Trap(torch.nonzero, ("float32[]",)),
    "one minus whole numbers": Trap(lambda x: 1.0 - x, ("int64[rows>=2=6,5]",), _MANY),
    "amin and amax without axes": Trap(lambda x: (x.amin(), x.amax()), _ROWS, _MANY),
    "stable sort": Trap(lambda x: torch.sort(x.round(), stable=True, dim=0), _ROWS, _MANY),
    "masked_select": Trap(lambda x: x.masked_select(x > 0), _ROWS, _MANY),
    "cumprod": Trap(lambda x: x.cumprod(0), _ROWS, _MANY),
    "split by sizes that are known when it runs": Trap(_halves, _ROWS, _MANY),
    "parts of a size that is known when it runs": Trap(_three_parts, _ROWS, _MANY),
    "complex numbers with an axis more": Trap(_turned, _ROWS, _MANY),
    "a spectrum along a dynamic axis": Trap(
        lambda x: torch.fft.fft2(x, norm="ortho").real, ("float32[rows>=2<=64=6,5]",), _MANY
    ),
    "a branch on a size": Trap(_branch, _ROWS, _MANY),
    "index_put by a mask": Trap(_index_put, _ROWS, _MANY),
    "assignment to a slice": Trap(_slice_assigned, _ROWS, _MANY),
    "roll": Trap(lambda x: x.roll((1, -2), (0, 1)), _ROWS, _MANY),
    "unfold": Trap(lambda x: F.unfold(x, 3, padding=1, stride=2), _IMAGE, _ODD),
    "median": Trap(lambda x: x.median(0), _ROWS, _MANY),
    "searchsorted": Trap(lambda x: torch.searchsorted(x.sort(-1).values, x), _ROWS, _MANY),
    "pixel_unshuffle behind pixel_shuffle": Trap(
        lambda x: F.pixel_unshuffle(F.pixel_shuffle(x, 2), 2), ("float32[batch=2,8,height=3,width=5]",), _ODD
    ),
    "a triangular system of many rows": Trap(_triangular, ("float32[batch=2,40,3]",), ({"batch": 1}, {"batch": 5})),
    "cdist": Trap(lambda x: torch.cdist(x, x[:2] + 1), _ROWS, _MANY),
    "var of whole groups": Trap(lambda x: torch.var_mean(x, 0, correction=0), _ROWS, _MANY),
    "remainder of negative numbers": Trap(lambda x: (x % -1.5, torch.fmod(x, 1.5), x // 0.4), _ROWS, _MANY),
}


def names(samples: int | None) -> list[str]:  # noqa: ARG001 - a trap has no samples
    """Every trap."""
    return list(TRAPS)


def case(name: str) -> Case:
    """The case of a trap."""
    trap = TRAPS[name]
    inputs = {f"x{index}": text for index, text in enumerate(trap.inputs)}
    return Case(name, lambda: Function(trap.function), inputs, partial(_trials, name, trap))


def _trials(name: str, trap: Trap) -> Sequence[Feeds]:
    specs = [parse_spec(f"x{index}", text) for index, text in enumerate(trap.inputs)]
    axes = {dim.name: dim.example for spec in specs for dim in spec.dims or () if isinstance(dim, Axis)}
    traced = {axis: size for axis, size in axes.items() if size is not None}
    if traced.keys() != axes.keys():
        raise Unjudgeable(f"{name} has an axis without a size to trace at")
    seed = zlib.crc32(name.encode())
    return [typical_feeds(specs, sizes, seed + index) for index, sizes in enumerate([traced, *trap.sizes])]
