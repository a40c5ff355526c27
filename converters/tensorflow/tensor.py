"""What the converter knows of a TensorFlow tensor while it writes the ONNX graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import ml_dtypes
import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

_COUNTER = count()
ONNX_DTYPES = {
    "float32": ir.DataType.FLOAT,
    "float64": ir.DataType.DOUBLE,
    "float16": ir.DataType.FLOAT16,
    "bfloat16": ir.DataType.BFLOAT16,
    "int8": ir.DataType.INT8,
    "int16": ir.DataType.INT16,
    "int32": ir.DataType.INT32,
    "int64": ir.DataType.INT64,
    "uint8": ir.DataType.UINT8,
    "uint16": ir.DataType.UINT16,
    "uint32": ir.DataType.UINT32,
    "uint64": ir.DataType.UINT64,
    "bool": ir.DataType.BOOL,
    "string": ir.DataType.STRING,
    "float8_e4m3fn": ir.DataType.FLOAT8E4M3FN,
    "float8_e5m2": ir.DataType.FLOAT8E5M2,
}


@dataclass(frozen=True, eq=False)
class Symbol:
    """The size of an axis that is known when the model runs; the same object is the same size.

    One that is ``scale * base + offset`` tells so.
    """

    number: int = field(default_factory=lambda: next(_COUNTER))
    base: Symbol | None = None
    scale: int = 1
    offset: int = 0
    _derived: dict[tuple[int, int], Symbol] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"s{self.number}"


Dim = int | Symbol


def affine(dim: Dim, scale: int, offset: int) -> Dim:
    """The size ``scale * dim + offset``; the same Symbol each time."""
    if isinstance(dim, int):
        return scale * dim + offset
    if scale == 0:
        return offset
    base = dim.base or dim
    whole = (scale * dim.scale, scale * dim.offset + offset)
    if whole == (1, 0):
        return base
    if whole not in base._derived:
        base._derived[whole] = Symbol(base=base, scale=whole[0], offset=whole[1])
    return base._derived[whole]


Shape = tuple[Dim, ...]


@dataclass(eq=False)
class Tensor:
    """A tensor of the TensorFlow graph: its type, and every form in which the ONNX graph has it by now.

    ``dtype`` is TensorFlow's name of it. ``shape`` is None where the rank is unknown. ``array`` is the content of a
    constant, ``label`` its name in the graph. ``sizes`` is the content of an integer tensor of rank 0 or 1 as
    far as it is sizes of axes; a Symbol there is the size of that axis. ``flattened_from`` is the tensor whose axes but
    the last were made one here, ``unrolled_from`` that whose axes but the first were made one, with channels first.
    ``parts`` are the real and the imaginary part of a complex one. ``resource`` is what a resource or variant handle
    stands for. ``forms`` are its values in the ONNX graph by layout, each with the scope that made it; the first layout
    is the one in which it was made.
    """

    dtype: str
    shape: Shape | None
    array: NDArray[Any] | None = None
    sizes: tuple[Dim, ...] | None = None
    label: str = ""
    flattened_from: Tensor | None = None
    unrolled_from: Tensor | None = None
    forms: dict[str, list[tuple[int, ir.Value]]] = field(default_factory=dict)
    resource: Any = None
    parts: tuple[Tensor, Tensor] | None = None

    @property
    def rank(self) -> int | None:
        """The number of axes, where it is known."""
        return None if self.shape is None else len(self.shape)

    @property
    def static_shape(self) -> tuple[int, ...] | None:
        """The shape where every axis has a known size."""
        if self.shape is None or any(isinstance(dim, Symbol) for dim in self.shape):
            return None
        return tuple(dim for dim in self.shape if isinstance(dim, int))

    @property
    def dtype_numpy(self) -> Any:
        """NumPy's dtype."""
        return ml_dtypes.bfloat16 if self.dtype == "bfloat16" else np.dtype(self.dtype)

    def dim(self, axis: int) -> Dim:
        """The size of an axis; an unknown one is a Symbol of its own."""
        return Symbol() if self.shape is None else self.shape[axis]


def constant(array: NDArray[Any] | bytes, dtype: str, label: str = "") -> Tensor:
    """A tensor of known content; TensorFlow gives a single string as bytes."""
    content = np.array(array, object) if isinstance(array, bytes) else array
    return Tensor(dtype, tuple(content.shape), content, sizes_of(content), label)


def sizes_of(array: NDArray[Any]) -> tuple[int, ...] | None:
    """The content of an integer array of rank 0 or 1 as sizes."""
    return tuple(int(size) for size in array.reshape(-1)) if array.dtype.kind in "iu" and array.ndim < 2 else None


def broadcast(shapes: Sequence[Shape | None]) -> Shape | None:
    """The shape that NumPy's rules give; an axis of which two symbols meet is a new one."""
    if any(shape is None for shape in shapes):
        return None
    known = [shape for shape in shapes if shape is not None]
    rank = max(map(len, known), default=0)
    padded = [(1,) * (rank - len(shape)) + shape for shape in known]
    return tuple(_broadcast_dim([shape[axis] for shape in padded]) for axis in range(rank))


def _broadcast_dim(dims: Sequence[Dim]) -> Dim:
    wide = [dim for dim in dims if dim != 1]
    fixed = [dim for dim in wide if isinstance(dim, int)]
    if fixed:
        return fixed[0]
    if not wide:
        return 1
    return wide[0] if all(dim is wide[0] for dim in wide) else Symbol()


def merged(own: Shape | None, static: Sequence[int | None] | None) -> Shape | None:
    """The shape as a handler has it, with what TensorFlow knows of it; new symbols for what neither knows."""
    if static is None:
        return own
    if own is None or len(own) != len(static):
        return tuple(Symbol() if size is None else size for size in static)
    return tuple(dim if size is None else size for dim, size in zip(own, static, strict=True))
