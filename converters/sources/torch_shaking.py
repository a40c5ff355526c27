"""A PyTorch model whose every operation's result is moved by one unit in the last place, at random.

The spread of its outputs is how far any two correct implementations may differ (Vignes, CESTAC, 1993).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

# results that are copies of values have no rounding error
_MOVES = {
    *(
        "view",
        "_unsafe_view",
        "reshape",
        "permute",
        "transpose",
        "t",
        "expand",
        "slice",
        "select",
        "squeeze",
        "unsqueeze",
    ),
    *(
        "clone",
        "detach",
        "alias",
        "cat",
        "stack",
        "split",
        "split_with_sizes",
        "constant_pad_nd",
        "index",
        "index_select",
    ),
    *("gather", "relu", "max_pool2d_with_indices", "amax", "amin", "where", "lift_fresh", "copy_", "embedding", "full"),
    *(
        "zeros",
        "ones",
        "empty",
        "as_strided",
        "unbind",
        "flip",
        "repeat",
        "maximum",
        "minimum",
        "clamp",
        "scalar_tensor",
    ),
}


# results whose ties an implementation may break as it likes
_ORDERS = {
    *("argmax", "argmin", "argsort", "topk", "sort", "msort", "kthvalue", "median", "nanmedian", "mode"),
    *("max", "min", "aminmax", "nms", "nonzero_static"),
}
_LOW = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
WAVER = 4  # units in the last place


class Shaking(TorchDispatchMode):
    """While it is on, each floating result moves up or down by one unit in the last place.

    With an even seed each element goes its own way, as where blocks of a vector are rounded otherwise than its end.
    With an odd seed equal values go together, and long sums are added up one by one, as one implementation does: over a
    flat image errors don't average out.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.generator = torch.Generator().manual_seed(seed)
        self.alike = seed % 2 == 1

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        naive = naive_sum(name, args, kwargs or {}) if self.alike else None
        result = func(*args, **(kwargs or {})) if naive is None else naive
        return result if name in _MOVES or name.endswith("_") else tree_map_only(torch.Tensor, self._moved, result)

    def _moved(self, tensor: torch.Tensor) -> torch.Tensor:
        if tensor.dtype not in _LOW:
            return tensor
        up = self._up_alike(tensor) if self.alike else torch.rand(tensor.shape, generator=self.generator) < 0.5
        return torch.nextafter(tensor, torch.where(up, torch.inf, -torch.inf).to(tensor.dtype))

    def _up_alike(self, tensor: torch.Tensor) -> torch.Tensor:
        """A bit of a hash of the value (Knuth's multiplicative one), another for each operation."""
        salt = torch.randint(2**31, (), generator=self.generator)
        bits = tensor.double().contiguous().view(torch.int64)
        mixed = (bits ^ (bits >> 29)) * 0x9E3779B97F4A7C1 + salt
        return ((mixed ^ (mixed >> 32)) * 0x85EBCA6B >> 31) & 1 == 1


def naive_sum(name: str, args: Any, kwargs: Any) -> torch.Tensor | None:
    """The sum or mean over axes with a running total in the tensor's own dtype; None for any other call."""
    x = args[0] if args else None
    if name not in ("mean", "sum") or not isinstance(x, torch.Tensor) or x.dtype is not torch.float32 or kwargs:
        return None
    axes = args[1] if len(args) > 1 and args[1] else list(range(x.ndim))
    axes = sorted(axis % x.ndim for axis in axes) if x.ndim else []
    kept = [axis for axis in range(x.ndim) if axis not in axes]
    flat = x.permute(*kept, *axes).reshape(*(x.shape[axis] for axis in kept), -1)
    if flat.numel() == 0 or flat.shape[-1] < 2:
        return None
    total = torch.from_numpy(np.add.accumulate(flat.numpy(), axis=-1)[..., -1].copy())
    total = total / flat.shape[-1] if name == "mean" else total
    keepdim = len(args) > 2 and bool(args[2])
    return total.reshape([1 if axis in axes else x.shape[axis] for axis in range(x.ndim)]) if keepdim else total


class Wavering(Shaking):
    """As `Shaking`, and what an order is decided by moves by a few units in the last place of its size."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if name not in _ORDERS:
            return super().__torch_dispatch__(func, types, args, kwargs)
        return func(*tree_map_only(torch.Tensor, self._wavered, args), **(kwargs or {}))

    def _wavered(self, tensor: torch.Tensor) -> torch.Tensor:
        if tensor.dtype not in _LOW or tensor.numel() == 0:
            return tensor
        limits = torch.finfo(tensor.dtype)
        size = torch.nan_to_num(tensor.double(), posinf=0.0, neginf=0.0).square().mean().sqrt()
        size = torch.clamp(size, min=limits.tiny / limits.eps)  # zeros are ties, too
        unit = WAVER * limits.eps * torch.maximum(tensor.abs().double(), size)
        towards = torch.rand(tensor.shape, generator=self.generator) * 2 - 1
        return (tensor + unit * towards).to(tensor.dtype)


def move_by_ulps(weight: torch.Tensor, ulps: int, generator: torch.Generator) -> None:
    """Move each element up or down by so many units in the last place of its own dtype, in place."""
    up = torch.rand(weight.shape, generator=generator) < 0.5
    infinity = torch.where(up, torch.inf, -torch.inf).to(weight.dtype)
    if weight.dtype not in _LOW:
        return
    with torch.no_grad():
        for _ in range(ulps):
            weight.copy_(torch.nextafter(weight, infinity))
