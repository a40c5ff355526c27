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
        if tensor.dtype not in (torch.float32, torch.float64):
            return tensor
        up = torch.rand(tensor.shape, generator=self.generator) < 0.5
        return torch.nextafter(tensor, torch.where(up, torch.inf, -torch.inf).to(tensor.dtype))
