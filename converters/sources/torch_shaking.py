"""A PyTorch model whose every operation's result is moved by one unit in the last place, at random.

The spread of its outputs is how far any two correct implementations may differ (Vignes, CESTAC, 1993).
"""

from __future__ import annotations

from typing import Any

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
    """While it is on, each floating result moves up or down by one unit in the last place."""

    def __init__(self, seed: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.generator = torch.Generator().manual_seed(seed)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        return result if name in _MOVES or name.endswith("_") else tree_map_only(torch.Tensor, self._moved, result)

    def _moved(self, tensor: torch.Tensor) -> torch.Tensor:
        if tensor.dtype not in _LOW:
            return tensor
        up = torch.rand(tensor.shape, generator=self.generator) < 0.5
        return torch.nextafter(tensor, torch.where(up, torch.inf, -torch.inf).to(tensor.dtype))


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
