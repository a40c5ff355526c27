"""SH: dynamic axes that the graph holds to the size at which it was traced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

import onnx_ir as ir

from assay.conformance.lint.candidate import StaticCandidate
from assay.conformance.lint.dataflow import PASS_THROUGH, input_of, needed, origin, upstream
from assay.conformance.lint.inference import Shape
from assay.conformance.lint.registry import Violation, rule

_BROADCASTING = (
    *("Add", "Sub", "Mul", "Div", "Pow", "Mod", "Min", "Max", "Mean", "Sum", "Where", "PRelu", "And", "Or", "Xor"),
    *("Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitShift"),
)
_AXIS_KEEPING = frozenset(
    {"Conv", "MaxPool", "AveragePool", "LpPool", "BatchNormalization", "InstanceNormalization", "LRN", "Pad", "Dropout"}
    | {"Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Sigmoid", "Tanh", "Clip", "HardSigmoid", "HardSwish", "Softplus"}
    | {"Gelu", "Erf", "Identity", "Cast", "Add", "Sub", "Mul", "Div", "QuantizeLinear", "DequantizeLinear"}
)
_FLATTENED_KEEPING = frozenset(
    {"Relu", "LeakyRelu", "Dropout", "Identity", "Cast", "QuantizeLinear", "DequantizeLinear"}
)
_SIZE_OPERATORS = frozenset({"Shape", "Size", "Range", "CumSum"})
_OPEN_END = 1 << 29  # exporters write "to the end" as some number beyond


@rule("SH005")
def broadcast_is_not_frozen(candidate: StaticCandidate) -> Iterator[Violation]:
    """No dynamic axis is combined element by element with a fixed size."""
    for node in candidate.nodes(*_BROADCASTING):
        if node.graph is candidate.graph:
            yield from _clash(
                node, candidate, [candidate.shape_of(value) for value in node.inputs if value is not None]
            )
    for node in candidate.nodes("MatMul"):
        left, right = (candidate.shape_of(input_of(node, index)) for index in (0, 1))
        if node.graph is candidate.graph and left and right and min(len(left), len(right)) > 1:
            yield from _clash(node, candidate, [left[:-2], right[:-2]])
            yield from _contraction(node, candidate, left[-1], right[-2])


def _clash(node: ir.Node, candidate: StaticCandidate, shapes: Sequence[Shape | None]) -> Iterator[Violation]:
    known = [shape for shape in shapes if shape]
    for place, dims in enumerate(zip_longest(*(reversed(shape) for shape in known))):
        name = next((dim for dim in dims if isinstance(dim, str) and dim in candidate.axes), None)
        size = next((dim for dim in dims if isinstance(dim, int) and dim > 1), None)
        if name is not None and size is not None:
            sentence = (
                f"axis {name} meets the fixed size {size} (axis {-1 - place}), but should meet a size that follows it"
            )
            yield Violation(node, sentence, {"axis": name, "size": size})


def _contraction(node: ir.Node, candidate: StaticCandidate, left: object, right: object) -> Iterator[Violation]:
    for name, size in ((left, right), (right, left)):
        if isinstance(name, str) and name in candidate.axes and isinstance(size, int):
            sentence = f"sums axis {name} over the fixed size {size}, but should sum over a size that follows it"
            yield Violation(node, sentence, {"axis": name, "size": size})


@rule("SH006")
def expand_is_not_frozen(candidate: StaticCandidate) -> Iterator[Violation]:
    """No Expand of a dynamic axis goes to a constant size."""
    for node in candidate.nodes("Expand"):
        target, shape = candidate.constant(input_of(node, 1)), candidate.shape_of(node.inputs[0])
        if target is not None and shape:
            yield from _clash(node, candidate, [shape, tuple(map(int, target.reshape(-1)))])


@rule("SH007")
def concatenation_is_not_frozen(candidate: StaticCandidate) -> Iterator[Violation]:
    """No Concat joins a dynamic axis with a fixed size beside it."""
    for node in candidate.nodes("Concat"):
        shapes = [candidate.shape_of(value) for value in node.inputs]
        known = [shape for shape in shapes if shape]
        if node.graph is not candidate.graph or len({len(shape) for shape in known}) != 1:
            continue
        joined = node.attributes.get_int("axis", 0) % len(known[0])
        for axis, dims in enumerate(zip(*known, strict=True)):
            name = next((dim for dim in dims if isinstance(dim, str) and dim in candidate.axes), None)
            size = next((dim for dim in dims if isinstance(dim, int)), None)
            if axis != joined and name is not None and size is not None:
                sentence = f"joins axis {name} with the fixed size {size}, but should join sizes that follow it"
                yield Violation(node, sentence, {"axis": name, "size": size})


@rule("SH008")
def resize_keeps_batch(candidate: StaticCandidate) -> Iterator[Violation]:
    """No Resize writes a constant for the batch or the channels of its data."""
    for node, axis, name, size in _fixed_sizes(candidate):
        if axis < 2:
            yield Violation(node, f"sizes hold {size} for axis {name}, but should follow it", {"axis": name})


@rule("SH009")
def resize_follows_picture(candidate: StaticCandidate) -> Iterator[Violation]:
    """A Resize of a dynamic height or width scales it, or the fixed size is meant."""
    for node, axis, name, size in _fixed_sizes(candidate):
        if axis >= 2:
            yield Violation(node, f"resizes axis {name} to {size} always, but should follow it unless that is meant")


def _fixed_sizes(candidate: StaticCandidate) -> Iterator[tuple[ir.Node, int, str, int]]:
    """Each Resize with the axis of its data that is dynamic and gets a constant size: position, name, size."""
    for node in candidate.nodes("Resize"):
        sizes, shape = candidate.constant(input_of(node, 3)), candidate.shape_of(node.inputs[0])
        if sizes is None or not shape:
            continue
        axes = node.attributes.get_ints("axes", range(len(shape)))
        for axis, size in zip(axes, sizes.reshape(-1), strict=False):
            name = shape[axis]
            if isinstance(name, str) and name in candidate.axes:
                yield node, axis % len(shape), name, int(size)


@rule("SH010")
def flattened_size_is_fixed(candidate: StaticCandidate) -> Iterator[Violation]:
    """No dense layer with weights of one size reads a flattened dynamic axis."""
    for node in candidate.nodes("Gemm", "MatMul"):
        weight = candidate.shape_of(input_of(node, 1))
        if node.graph is not candidate.graph or weight is None or len(weight) != 2:
            continue
        size = weight[1 if node.attributes.get_int("transB", 0) else 0]
        flatten = _flattening(node.inputs[0])
        axis = None if flatten is None or not isinstance(size, int) else _flattened(candidate, flatten, size)
        if axis is not None:
            got = f"takes {size} features, to which axis {axis} of varying size was flattened"
            yield Violation(node, f"{got}, but should take a number that does not depend on it", {"axis": axis})


def _flattening(value: ir.Value | None) -> ir.Node | None:
    source = origin(value, _FLATTENED_KEEPING)
    node = None if source is None else source.producer()
    return node if node is not None and node.op_type in ("Flatten", "Reshape") else None


def _flattened(candidate: StaticCandidate, node: ir.Node, size: int) -> int | None:
    """The data's dynamic axis, beside the first, that ends up among so many features."""
    shape = candidate.shape_of(node.inputs[0])
    if shape is None or len(shape) < 3:
        return None
    first = node.attributes.get_int("axis", 1) if node.op_type == "Flatten" else 1
    product = 1
    for axis in range(len(shape) - 1, max(first, 1) - 1, -1):
        dim = shape[axis]
        if node.op_type == "Reshape" and product == size:
            return None
        if isinstance(dim, int):
            product *= dim
        else:
            return axis if _is_dynamic(candidate, node.inputs[0], axis) else None
    return None


def _is_dynamic(candidate: StaticCandidate, value: ir.Value | None, axis: int) -> bool:
    """Whether the size along this axis comes from a dynamic axis of an input, by convolutions and the like."""
    for node in (None, *upstream(value, _AXIS_KEEPING)):
        shape = candidate.shape_of(value if node is None else node.inputs[0])
        if shape is None or len(shape) <= axis or isinstance(shape[axis], int):
            return False
        if shape[axis] in candidate.axes:
            return True
    return False


@rule("SH011")
def initial_state_follows_batch(candidate: StaticCandidate) -> Iterator[Violation]:
    """The initial state of a recurrent operator is as long as the batch."""
    for node in candidate.nodes("LSTM", "GRU", "RNN"):
        batch_first = node.attributes.get_int("layout", 0)
        data = candidate.shape_of(node.inputs[0])
        name = data[0 if batch_first else 1] if data and len(data) == 3 else None
        for index in (5, 6):
            state = candidate.shape_of(input_of(node, index))
            size = state[0 if batch_first else 1] if state and len(state) == 3 else None
            if isinstance(name, str) and name in candidate.axes and isinstance(size, int):
                sentence = f"initial state is for {size} rows, but should be for as many as axis {name} has"
                yield Violation(node, sentence, {"input": index})


@rule("SH015")
def slice_reaches_the_end(candidate: StaticCandidate) -> Iterator[Violation]:
    """A Slice of a dynamic axis does not end at a constant, or that is meant."""
    for node in candidate.nodes("Slice"):
        shape = candidate.shape_of(node.inputs[0])
        arrays = [candidate.constant(input_of(node, index)) for index in (1, 2, 3)]
        if node.graph is not candidate.graph or shape is None or any(array is None for array in arrays):
            continue
        for start, end, axis in zip(*(array.reshape(-1) for array in arrays if array is not None), strict=False):
            dim = shape[axis] if -len(shape) <= axis < len(shape) else None
            if dim in candidate.axes and start == 0 and 1 < end < _OPEN_END:
                yield Violation(node, f"cuts axis {dim} off at {end}, but should follow it unless that is meant")


@rule("SH016")
def index_is_not_clamped(candidate: StaticCandidate) -> Iterator[Violation]:
    """No position is held to the last row of its table."""
    for node in candidate.nodes("Gather"):
        table = candidate.shape_of(node.inputs[0])
        if not table or candidate.graph is not node.graph or not isinstance(table[0], int):
            continue
        clamp = _clamp(candidate, input_of(node, 1))
        if clamp is not None and clamp[1] == table[0] - 1 and _counts_positions(clamp[0]):
            sentence = (
                f"positions beyond {table[0] - 1} are held to it, but should be refused or have rows of their own"
            )
            yield Violation(clamp[0], sentence, {"rows": table[0]})


def _clamp(candidate: StaticCandidate, value: ir.Value | None) -> tuple[ir.Node, float] | None:
    """The Min or Clip that gives these indices, and its upper bound."""
    for node in upstream(value, PASS_THROUGH | {"Min", "Clip", "Expand"}):
        bounds = {"Min": node.inputs, "Clip": node.inputs[2:3]}.get(node.op_type, ())
        bound = next((found for found in map(candidate.scalar, bounds) if found is not None), None)
        if bound is not None:
            return node, bound
    return None


def _counts_positions(node: ir.Node) -> bool:
    """Whether a clamped value comes from sizes; logarithmic buckets of relative positions are clamped on purpose."""
    value = next((value for value in node.inputs if value is not None and value.producer() is not None), None)
    operators = {found.op_type for found in (v.producer() for v in needed([value] if value else ())) if found}
    return bool(operators & _SIZE_OPERATORS) and "Log" not in operators
