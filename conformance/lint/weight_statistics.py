"""What one pass over a tensor tells: non-finite values, range, bit patterns, and a sample to compare tensors by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from assay.converters.stored_weights import StoredTensor, raw_tensor

if TYPE_CHECKING:
    from assay.conformance.lint.registry import Subject

Array = NDArray[Any]

_CHUNK = 1 << 18  # elements: what a core's cache holds
_SAMPLE = 256
_TILE = 1 << 24  # elements of a matrix that are held at once


@dataclass(frozen=True)
class Statistics:
    """Counts over all elements; the range of those that are numbers; the bits that any float32 element has."""

    nans: int
    infinities: int
    subnormals: int
    low: float
    high: float
    bits: int
    zero_rows: int
    sample: bytes

    @property
    def is_constant(self) -> bool:
        """Whether the tensor repeats one value."""
        return self.low == self.high and not self.nans


@dataclass(frozen=True)
class Weight:
    """A tensor of the model that can be read, and what it belongs to."""

    subject: Subject
    tensor: ir.TensorProtocol
    model: Path

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The sizes of its axes."""
        return tuple(self.tensor.shape.numpy())

    @cached_property
    def statistics(self) -> Statistics:
        """Read once, chunk by chunk, when a rule asks first."""
        with np.errstate(invalid="ignore"):  # NaN in bfloat16
            return _measure(self)

    def read(self, start: int, count: int) -> Array:
        """Elements in the order of memory; nothing of the file stays mapped."""
        if self._place is None or not self.tensor.size:
            return self.tensor.numpy().reshape(-1)[start : start + count]
        file, begin = self._place
        count = min(count, self.tensor.size - start)
        if self.tensor.dtype.bitwidth < 8:
            return self._read_narrow(file, begin, start, count)
        dtype = self.tensor.dtype.numpy().newbyteorder("<")
        return np.fromfile(file, dtype, count, offset=begin + start * dtype.itemsize)

    def _read_narrow(self, file: Path, begin: int, start: int, count: int) -> Array:
        """Elements of less than a byte, of which the first may not begin one."""
        together = 8 // self.tensor.dtype.bitwidth
        skipped = start % together
        length = -(-(skipped + count) // together)
        data = np.fromfile(file, np.uint8, length, offset=begin + start // together)
        whole: Array = raw_tensor(self.tensor.dtype, [skipped + count], data.tobytes()).numpy()
        return whole[skipped:]

    @cached_property
    def _place(self) -> tuple[Path, int] | None:
        """The file and the byte where the elements begin; None for those in memory."""
        if isinstance(self.tensor, StoredTensor):
            return self.tensor.file, self.tensor.offset
        if isinstance(self.tensor, ir.ExternalTensor):
            return self.model.parent / self.tensor.location, self.tensor.offset or 0
        return None

    def chunks(self, multiple: int = 1) -> Iterator[tuple[int, Array]]:
        """All elements with their positions, a whole number of rows of ``multiple`` elements at once where they fit."""
        step = max(_CHUNK // multiple, 1) * multiple if multiple <= _CHUNK else _CHUNK
        if self._place is not None:
            yield from ((start, self.read(start, step)) for start in range(0, self.tensor.size, step))
        else:
            values = self.read(0, self.tensor.size)
            yield from ((start, values[start : start + step]) for start in range(0, values.size, step))


def _measure(weight: Weight) -> Statistics:
    row = max(weight.tensor.size // weight.shape[0], 1) if len(weight.shape) > 1 and weight.shape[0] else 1
    stride = max(1, weight.tensor.size // _SAMPLE)
    nans = infinities = subnormals = bits = zero_rows = 0
    low, high, sample = np.inf, -np.inf, []
    for start, values in weight.chunks(row):
        smallest, largest = _range(values)
        if not (np.isfinite(smallest) and np.isfinite(largest)):
            nans += int(np.isnan(values).sum())
            infinities += int(np.isinf(values).sum())
            smallest, largest = _range(values[np.isfinite(values)])
        low, high = min(low, smallest), max(high, largest)
        if values.dtype == np.float32:
            subnormals += _subnormals(values)
            bits |= int(np.bitwise_or.reduce(values.view(np.uint32)))
        zero_rows += _zero_rows(values, row) if row > 1 and values.size % row == 0 else 0
        sample.append(values[-start % stride :: stride].tobytes())
    return Statistics(nans, infinities, subnormals, low, high, bits, zero_rows, b"".join(sample))


def _range(values: Array) -> tuple[float, float]:
    """The least and the greatest; NaN where any value is."""
    return (float(values.min()), float(values.max())) if values.size else (np.inf, -np.inf)


def _subnormals(values: Array) -> int:
    """Without sign, a subnormal float32 is above 0 and below the first exponent; 0 - 1 wraps around to the greatest."""
    magnitudes = (values.view(np.uint32) << np.uint32(1)) - np.uint32(1)
    return int(np.count_nonzero(magnitudes < np.uint32(0x00FF_FFFF)))


def _zero_rows(values: Array, row: int) -> int:
    if not values.any():
        return values.size // row
    rows = values.reshape(-1, row)
    maybe = rows[rows[:, 0] == 0]
    return int(np.count_nonzero(~maybe.any(axis=1))) if maybe.size else 0


def same_elements(a: Weight, b: Weight) -> bool:
    """Whether two tensors of one dtype and size hold the same bytes."""
    return all(_same(left, b.read(start, left.size)) for start, left in a.chunks())


def _same(a: Array, b: Array) -> bool:
    return np.array_equal(a.view(np.uint8), b.view(np.uint8))


def transposed_elements(a: Weight, b: Weight) -> bool:
    """Whether the second matrix is the first one transposed; a tile of the second is held in memory at once."""
    rows, columns = a.shape
    height, step = max(_TILE // rows, 1), max(_CHUNK // columns, 1)
    for top in range(0, columns, height):
        tile = b.read(top * rows, height * rows).reshape(-1, rows)
        for start in range(0, rows, step):
            part = a.read(start * columns, step * columns).reshape(-1, columns)[:, top : top + len(tile)]
            if not np.array_equal(part.T, tile[:, start : start + len(part)]):
                return False
    return True
