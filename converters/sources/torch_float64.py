"""A PyTorch model in float64, whatever its code says of dtypes.

``module.double()`` alone is not enough: a ``.float()`` or an ``arange(dtype=torch.float32)`` within the code would make
a truth that is rounded to float32. So each operation is caught on its way to its kernel: low precision among its
arguments, its dtypes and its results becomes float64.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

_HIGH = {
    torch.float16: torch.float64,
    torch.bfloat16: torch.float64,
    torch.float32: torch.float64,
    torch.complex32: torch.complex128,
    torch.complex64: torch.complex128,
}
_SINGLE = {torch.float64: torch.float32, torch.complex128: torch.complex64}
_ASSERTIONS = {"_assert_tensor_metadata"}


@contextmanager
def in_float64(kept: set[str]) -> Iterator[None]:
    """Run models in float64; operations that have no kernel for it run in float32, and their names join ``kept``."""
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with _InFloat64(kept):
            yield
    finally:
        torch.set_default_dtype(default)


class _InFloat64(TorchDispatchMode):
    def __init__(self, kept: set[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept = kept

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if name in _ASSERTIONS:  # of torch.export, about dtypes
            return None
        raised = _Raised()
        try:
            result = func(*tree_map(raised, args), **tree_map(raised, kwargs or {}))
        except RuntimeError as error:
            result = self._in_float32(func, args, kwargs or {}, error)
        if func._schema.is_mutable:
            raised.write_back()
        return tree_map(_Raised(), result)

    def _in_float32(self, func: Any, args: Any, kwargs: Any, error: RuntimeError) -> Any:
        """For an operation that refuses float64; where it raises in float32, too, that is not the reason."""
        try:
            result = func(*tree_map(_lowered, args), **tree_map(_lowered, kwargs))
        except RuntimeError:
            raise error from None
        self.kept.add(func.overloadpacket.__name__)
        return result


class _Raised:
    """Casts to float64, and remembers the tensors that it did so for."""

    def __init__(self) -> None:
        self.casts: list[tuple[torch.Tensor, torch.Tensor]] = []

    def __call__(self, value: Any) -> Any:
        if isinstance(value, torch.dtype):
            return _HIGH.get(value, value)
        if not isinstance(value, torch.Tensor) or value.dtype not in _HIGH:
            return value
        cast = value.to(_HIGH[value.dtype])
        self.casts.append((value, cast))
        return cast

    def write_back(self) -> None:
        """An operation that works in place changed the cast, and should have changed the tensor."""
        for value, cast in self.casts:
            value.copy_(cast)


def _lowered(value: Any) -> Any:
    if isinstance(value, torch.dtype):
        return _SINGLE.get(value, value)
    return value.to(_SINGLE[value.dtype]) if isinstance(value, torch.Tensor) and value.dtype in _SINGLE else value
