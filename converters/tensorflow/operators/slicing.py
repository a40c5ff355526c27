"""Slices, and what cuts or mirrors along axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import CHANNELS_FIRST, Emitter, to_first
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.sizes import END, counted, place, placed, scalar_of, size, vector
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Dim, Symbol, Tensor, affine

START = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Cut:
    """What is taken of one axis: from, to (numbers, or vectors of one computed int64), and the step."""

    axis: int
    start: int | ir.Value
    end: int | ir.Value
    step: int = 1

    def length(self, dim: Dim) -> Dim:
        """How many elements are left of an axis."""
        if not isinstance(self.start, int) or not isinstance(self.end, int):
            return Symbol()
        cut = slice(python(self.start), python(self.end), self.step)
        if isinstance(dim, int):
            return len(range(dim)[cut])
        whole = cut.start in (None, 0) and cut.stop is None and abs(self.step) == 1
        if self.step == -1:
            whole = cut.start is None and cut.stop is None
        return dim if whole else Symbol()


def python(number: int) -> int | None:
    """A bound as Python's slice has it."""
    return None if abs(number) > 1 << 62 else number


def _in_steps(e: Emitter, tensor: Tensor, one: Cut) -> list[Cut]:
    """A cut backwards from a place that may lie before the axis, which ONNX takes for its first element: two cuts."""
    dim = tensor.dim(one.axis)
    if one.step > 0 or (
        isinstance(one.start, int) and (one.start >= 0 or (isinstance(dim, int) and one.start >= -dim))
    ):
        return [one]
    return [Cut(one.axis, _after(e, one.end), _after(e, one.start)), Cut(one.axis, END, START, one.step)]


def _after(e: Emitter, place: int | ir.Value) -> int | ir.Value:
    """The next place; after the last one that of the end, and before the first that of the start."""
    if isinstance(place, int):
        return END if place == -1 else 0 if place == START else place + 1
    return e.node("Where", [e.node("Equal", [place, e.ints(-1)]), e.ints(END), e.node("Add", [place, e.ints(1)])])


def cut(e: Emitter, tensor: Tensor, cuts: Sequence[Cut]) -> Tensor:
    """The slice, in the layout that the tensor has."""
    steps = [_in_steps(e, tensor, one) for one in cuts]
    for number in range(max(map(len, steps), default=0)):
        tensor = _cut_once(e, tensor, [step[number] for step in steps if number < len(step)])
    return tensor


def _cut_once(e: Emitter, tensor: Tensor, cuts: Sequence[Cut]) -> Tensor:
    """One Slice."""
    value, layout = placed(e, tensor)
    rank = tensor.rank or 0
    axes = [place(one.axis, rank, layout) if tensor.rank else one.axis for one in cuts]
    if cuts:
        columns = (
            vector(e, [one.start for one in cuts]),
            vector(e, [one.end for one in cuts]),
            e.ints(*axes),
            e.ints(*(one.step for one in cuts)),
        )
        value = e.node("Slice", [value, *columns])
    shape = None if tensor.shape is None else list(tensor.shape)
    for one in cuts if shape is not None else ():
        assert shape is not None
        shape[one.axis] = one.length(shape[one.axis])
    picked = None
    if tensor.sizes is not None and len(cuts) == 1 and isinstance(cuts[0].start, int) and isinstance(cuts[0].end, int):
        picked = tensor.sizes[slice(python(cuts[0].start), python(cuts[0].end), cuts[0].step)]
    return e.tensor(value, tensor.dtype, None if shape is None else tuple(shape), layout, sizes=picked)


@handles("Slice")
def slice_of_size(e: Emitter, op: Operation) -> Tensor:
    """From a place, so many elements; a size of -1 goes to the end."""
    tensor, begin, length = op.inputs
    count = next((part.dim(0) for part in (begin, length) if part.shape is not None), tensor.rank)
    if not isinstance(count, int):
        raise RefusedError("slices a tensor of unknown rank")
    cuts = []
    for axis in range(count):
        start, extent = element(e, begin, axis), element(e, length, axis)
        if extent == -1:
            cuts.append(Cut(axis, start, END))
        elif isinstance(start, int) and isinstance(extent, int):
            cuts.append(Cut(axis, start, start + extent))
        else:
            cuts.append(Cut(axis, start, _end(e, start, extent)))
    cuts = [one for one in cuts if one.start != 0 or one.end != END or not isinstance(one.start, int)]
    made = cut(e, tensor, cuts)
    wanted = None if length.sizes is None else [made.dim(n) if dim == -1 else dim for n, dim in enumerate(length.sizes)]
    return _as_result(op, made, wanted)


def _as_result(op: Operation, made: Tensor, shape: Sequence[Dim] | None = None) -> Tensor:
    layout = next(iter(made.forms))
    value = made.forms[layout][0][1]
    return op.result(value, made.shape if shape is None else shape, layout=layout, sizes=made.sizes)


def _end(e: Emitter, start: int | ir.Value, extent: int | ir.Value) -> ir.Value:
    first, many = (e.ints(part) if isinstance(part, int) else part for part in (start, extent))
    end = e.node("Add", [first, many])
    if isinstance(extent, int):
        return end
    return e.node("Where", [e.node("Equal", [many, e.ints(-1)]), e.ints(END), end])


def element(e: Emitter, tensor: Tensor, index: int) -> int | ir.Value:
    """One number of a vector of integers: itself, or a vector of one int64."""
    if tensor.array is not None:
        return int(tensor.array.reshape(-1)[index])
    known = None if tensor.sizes is None else tensor.sizes[index]
    if isinstance(known, int):
        return known
    return e.node("Slice", [e.int64(tensor), e.ints(index), e.ints(index + 1), e.ints(0)])


@handles("StridedSlice")
def strided_slice(e: Emitter, op: Operation) -> Tensor:
    """A slice as in Python: with an ellipsis, new axes, axes that go, computed places and negative steps."""
    tensor = op.inputs[0]
    cuts, picked, made_axes = _read(e, op, tensor)
    cuts = [one for one in cuts if not (one.start == 0 and one.end == END and one.step == 1)]
    result = cut(e, tensor, cuts) if cuts else tensor
    if not picked and not made_axes:
        return _as_result(op, result) if cuts else tensor
    value, shape, found = e.logical(result), None if result.shape is None else list(result.shape), result.sizes
    for axis, index in sorted(picked.items(), reverse=True):
        chosen = e.constant(np.array(index, np.int64)) if isinstance(index, int) else scalar_of(e, index)
        value = e.node("Gather", [value, chosen], axis=axis)
        if shape is not None:
            del shape[axis]
        if found is not None:
            found = (found[index],) if isinstance(index, int) and -len(found) <= index < len(found) else None
    if made_axes:
        value = e.node("Unsqueeze", [value, e.ints(*made_axes)])
        for axis in made_axes if shape is not None else ():
            assert shape is not None
            shape.insert(axis, 1)
        found = found if not (shape is None or len(shape) > 1) else None
    return op.result(value, shape, sizes=found)


def _read(e: Emitter, op: Operation, tensor: Tensor) -> tuple[list[Cut], dict[int, int | ir.Value], list[int]]:
    """The cuts, the axes of which one index is taken, and the new axes as the result counts them."""
    begin, end, step = op.inputs[1:]
    if step.array is None:
        raise RefusedError("slices by steps that are computed")
    masks = {name: int(op.attr(f"{name}_mask")) for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")}
    entries = len(step.array)
    cuts: list[Cut] = []
    picked: dict[int, int | ir.Value] = {}
    made: list[int] = []
    axis = result_axis = 0
    for entry in range(entries):
        bit = 1 << entry
        if masks["ellipsis"] & bit:
            after = [n for n in range(entry + 1, entries) if not masks["new_axis"] >> n & 1]
            if tensor.rank is None:
                raise RefusedError("slices a tensor of unknown rank with an ellipsis")
            skipped = tensor.rank - len(after) - axis
            axis, result_axis = axis + skipped, result_axis + skipped
        elif masks["new_axis"] & bit:
            made.append(result_axis)
            result_axis += 1
        elif masks["shrink_axis"] & bit:
            picked[axis] = element(e, begin, entry)
            axis += 1
        else:
            stride = int(step.array[entry])
            first = (0 if stride > 0 else END) if masks["begin"] & bit else element(e, begin, entry)
            last = (END if stride > 0 else START) if masks["end"] & bit else element(e, end, entry)
            cuts.append(Cut(axis, first, last, stride))
            axis, result_axis = axis + 1, result_axis + 1
    return cuts, picked, made


@handles("Reverse", "ReverseV2")
def reverse(e: Emitter, op: Operation) -> Tensor:
    """The other way round along axes."""
    tensor, axes = op.inputs[0], op.array(1, "list of axes").reshape(-1)
    if tensor.rank is None:
        raise RefusedError("reverses a tensor of unknown rank")
    chosen = np.flatnonzero(axes) if axes.dtype == bool else [int(axis) % tensor.rank for axis in axes]
    if len(chosen) == 0:
        return tensor
    return _as_result(op, cut(e, tensor, [Cut(int(axis), END, START, -1) for axis in chosen]))


@handles("Split", "SplitV")
def split(e: Emitter, op: Operation) -> Sequence[Tensor]:
    """Equal parts, or parts of given sizes, of which one may be the rest."""
    equal = op.type == "Split"
    tensor = op.inputs[1 if equal else 0]
    if tensor.rank is None:
        raise RefusedError("splits a tensor of unknown rank")
    axis = int(op.array(0 if equal else 2, "axis").reshape(())) % tensor.rank
    count = len(op.tf.outputs)
    if count == 1:
        return [tensor]
    value, layout = placed(e, tensor)
    dim = tensor.dim(axis)
    lengths, parts = _equal(e, dim, count) if equal else _given(e, tensor, op.inputs[1], axis, dim)
    many = count if parts is None and e.opset >= 18 else None
    made = e.nodes(
        "Split",
        [value] if parts is None else [value, parts],
        count,
        axis=place(axis, tensor.rank, layout),
        num_outputs=many,
    )
    results = []
    for index, part in enumerate(made):
        shape = [lengths[index] if n == axis else known for n, known in enumerate(tensor.shape or ())]
        start = sum(n for n in lengths[:index] if isinstance(n, int))
        exact = all(isinstance(n, int) for n in lengths) and tensor.sizes is not None
        found = (tensor.sizes or ())[start : start + int(lengths[index])] if exact else None  # type: ignore[arg-type]
        results.append(op.result(part, shape, index=index, layout=layout, sizes=found))
    return results


def _equal(e: Emitter, dim: Dim, count: int) -> tuple[list[Dim], ir.Value | None]:
    if isinstance(dim, int):
        return [dim // count] * count, e.ints(*[dim // count] * count)
    return [Symbol()] * count, None


def _given(e: Emitter, tensor: Tensor, given: Tensor, axis: int, dim: Dim) -> tuple[list[Dim], ir.Value]:
    if given.array is None:
        count = given.dim(0)
        assert isinstance(count, int)
        return [Symbol() for _ in range(count)], e.int64(given)
    numbers = [int(number) for number in given.array.reshape(-1)]
    if -1 not in numbers:
        return list(numbers), e.ints(*numbers)
    rest = affine(dim, 1, -(sum(numbers) + 1))
    lengths: list[Dim] = [rest if number == -1 else number for number in numbers]
    if isinstance(rest, int):
        return lengths, e.ints(*(n for n in lengths if isinstance(n, int)))
    left = e.node("Sub", [size(e, tensor, axis), e.ints(sum(numbers) + 1)])
    return lengths, vector(e, [left if number == -1 else number for number in numbers])


@handles("Unpack")
def unpack(e: Emitter, op: Operation) -> Sequence[Tensor]:
    """Each slice along an axis, without it."""
    (tensor,) = op.inputs
    if tensor.rank is None:
        raise RefusedError("unstacks a tensor of unknown rank")
    axis = int(op.attr("axis")) % tensor.rank
    shape = [dim for n, dim in enumerate(tensor.shape or ()) if n != axis]
    results = []
    for index in range(len(op.tf.outputs)):
        value = e.node("Gather", [e.logical(tensor), e.constant(np.array(index, np.int64))], axis=axis)
        found = (tensor.sizes[index],) if tensor.sizes is not None and tensor.rank == 1 else None
        results.append(op.result(value, shape, index=index, sizes=found))
    return results


@handles("MirrorPad")
def mirror_pad(e: Emitter, op: Operation) -> Tensor:
    """A border that mirrors what is inside, the outermost element once (REFLECT) or twice (SYMMETRIC)."""
    tensor, pairs = op.inputs[0], op.array(1, "padding").astype(np.int64)
    if tensor.shape is None:
        raise RefusedError("pads a tensor of unknown rank")
    value, layout = placed(e, tensor)
    shape = [affine(dim, 1, int(sum(pair))) for dim, pair in zip(tensor.shape, pairs, strict=True)]
    if op.attr("mode") == "REFLECT":
        turned = pairs[to_first(len(pairs))] if layout == CHANNELS_FIRST else pairs
        return op.result(e.node("Pad", [value, e.constant(turned.T.reshape(-1))], mode="reflect"), shape, layout=layout)
    for axis, (before, after) in enumerate(pairs):
        if before or after:
            where = _mirrored(e, size(e, tensor, axis), int(before), int(after))
            value = e.node("Gather", [value, where], axis=place(axis, len(shape), layout))
    return op.result(value, shape, layout=layout)


def _mirrored(e: Emitter, count: ir.Value, before: int, after: int) -> ir.Value:
    """Which elements stand along an axis that is padded, the outermost twice."""
    edge = 1
    if count.const_value is not None:
        length = int(count.const_value.numpy()[0])
        places = np.arange(-before, length + after)
        places = np.where(places < 0, -places - edge, places)
        return e.constant(np.where(places >= length, 2 * length - 2 + edge - places, places))
    whole = counted(e, e.node("Add", [count, e.ints(before + after)]))
    index = e.node("Sub", [whole, e.ints(before)])
    turned = e.node("Sub", [e.ints(-edge), index])
    index = e.node("Where", [e.node("Less", [index, e.ints(0)]), turned, index])
    last = e.node("Sub", [e.node("Add", [e.node("Mul", [count, e.ints(2)]), e.ints(edge - 2)]), index])
    return e.node("Where", [e.node("GreaterOrEqual", [index, count]), last, index])


@handles("Roll")
def roll(e: Emitter, op: Operation) -> Tensor:
    """Shifted along axes, what falls out coming in at the other end."""
    tensor, shifts, axes = op.inputs[0], op.inputs[1], op.array(2, "axis").reshape(-1)
    if tensor.rank is None:
        raise RefusedError("rolls a tensor of unknown rank")
    value, layout = placed(e, tensor)
    for index, axis in enumerate(int(n) % tensor.rank for n in axes):
        vector_of_shifts = shifts if shifts.rank else None
        shift = element(e, shifts, index) if vector_of_shifts is not None else _scalar(e, shifts)
        count = size(e, tensor, axis)
        moved = e.node("Sub", [counted(e, count), e.ints(shift) if isinstance(shift, int) else shift])
        value = e.node(
            "Gather",
            [value, e.node("Mod", [moved, e.node("Max", [count, e.ints(1)])])],
            axis=place(axis, tensor.rank, layout),
        )
    return op.result(value, tensor.shape, layout=layout)


def _scalar(e: Emitter, tensor: Tensor) -> int | ir.Value:
    if tensor.array is not None:
        return int(tensor.array.reshape(()))
    return e.node("Reshape", [e.int64(tensor), e.ints(1)])


@handles("ReverseSequence")
def reverse_sequence(e: Emitter, op: Operation) -> Tensor:
    """The first elements of each row the other way round, as many as its length."""
    tensor, lengths = op.inputs
    if tensor.rank is None:
        raise RefusedError("reverses a tensor of unknown rank")
    time, batch = int(op.attr("seq_dim")), int(op.attr("batch_dim"))
    turn = [batch, time, *(axis for axis in range(tensor.rank) if axis not in (batch, time))]
    value = e.logical(tensor)
    count = size(e, tensor, time)
    each = e.node("Unsqueeze", [e.int64(lengths), e.ints(1)])
    index = counted(e, count)
    mirrored = e.node("Sub", [e.node("Sub", [each, e.ints(1)]), index])
    index = e.node("Where", [e.node("Less", [index, each]), mirrored, index])
    value = e.node("Transpose", [value], perm=turn)
    value = e.node("GatherND", [value, e.node("Unsqueeze", [index, e.ints(2)])], batch_dims=1)
    return op.result(e.node("Transpose", [value], perm=np.argsort(turn).tolist()), tensor.shape)
