"""WT: shapes and signs of parameters, against the operators that read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import onnx_ir as ir

from assay.conformance.lint.candidate import StaticCandidate
from assay.conformance.lint.dataflow import input_of
from assay.conformance.lint.inference import Shape
from assay.conformance.lint.registry import Violation, rule

Dim = int | str | None
Wanted = Iterator[tuple[int, str, tuple[Dim, ...]]]

_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


@rule("WT008")
def parameter_has_its_shape(candidate: StaticCandidate) -> Iterator[Violation]:
    """Weights, biases and statistics have the sizes that the operator and its data ask for."""
    for operator, wanted in _WANTED.items():
        for node in candidate.nodes(operator):
            shapes = [candidate.shape_of(value) for value in node.inputs]
            for index, name, due in wanted(node, shapes):
                got = shapes[index] if len(shapes) > index else None
                if got is not None and not _is_like(got, due):
                    yield Violation(node, f"{name} has the shape {_text(got)}, but should have {_text(due)}")


def _is_like(got: Shape, due: Sequence[Dim]) -> bool:
    """Whether no size contradicts; what is not known contradicts nothing."""
    if len(got) != len(due):
        return False
    return all(a == b or not isinstance(a, int) or not isinstance(b, int) for a, b in zip(got, due, strict=True))


def _text(shape: Sequence[Dim]) -> str:
    return f"[{', '.join('any' if dim is None else str(dim) for dim in shape)}]"


def _conv(node: ir.Node, shapes: Sequence[Shape | None]) -> Wanted:
    data, weight = shapes[0], shapes[1]
    group = node.attributes.get_int("group", 1)
    if weight is None or len(weight) < 2:
        return
    if group and data is not None and len(data) >= 2 and isinstance(data[1], int):
        yield 1, "weight", (weight[0], data[1] // group, *weight[2:])
    yield 2, "bias", (weight[0],)


def _conv_transpose(node: ir.Node, shapes: Sequence[Shape | None]) -> Wanted:
    data, weight = shapes[0], shapes[1]
    if weight is None or len(weight) < 2:
        return
    if data is not None and len(data) >= 2:
        yield 1, "weight", (data[1], *weight[1:])
    yield 2, "bias", (weight[1] * node.attributes.get_int("group", 1) if isinstance(weight[1], int) else None,)


def _per_channel(node: ir.Node, shapes: Sequence[Shape | None]) -> Wanted:
    data = shapes[0]
    channels = data[1] if data is not None and len(data) >= 2 else None
    for index, name in enumerate(("scale", "bias", "mean", "variance")[: len(node.inputs) - 1], 1):
        yield index, name, (channels,)


def _gemm(node: ir.Node, shapes: Sequence[Shape | None]) -> Wanted:
    data, weight = shapes[0], shapes[1]
    if weight is None or len(weight) != 2:
        return
    transposed = node.attributes.get_int("transB", 0)
    outer = weight[0 if transposed else 1]
    if data is not None and len(data) == 2:
        due = data[0 if node.attributes.get_int("transA", 0) else 1]
        yield 1, "weight", (outer, due) if transposed else (due, outer)
    bias = shapes[2] if len(shapes) > 2 else None
    if bias and bias[-1] != 1:
        yield 2, "bias", (*bias[:-1], outer)


def _matmul(_node: ir.Node, shapes: Sequence[Shape | None]) -> Wanted:
    data, weight = shapes[0], shapes[1]
    if data and weight is not None and len(weight) >= 2:
        yield 1, "second factor", (*weight[:-2], data[-1], weight[-1])


def _recurrent(node: ir.Node, shapes: Sequence[Shape | None]) -> Wanted:
    data, recurrence = shapes[0], shapes[2]
    if recurrence is None or len(recurrence) != 3 or not isinstance(recurrence[2], int):
        return
    directions = 2 if node.attributes.get_string("direction", "forward") == "bidirectional" else 1
    rows = _GATES[node.op_type] * recurrence[2]
    yield 1, "weight", (directions, rows, data[2] if data is not None and len(data) == 3 else None)
    yield 2, "recurrence", (directions, rows, recurrence[2])
    yield 3, "bias", (directions, 2 * rows)


_WANTED: dict[str, Callable[[ir.Node, Sequence[Shape | None]], Wanted]] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "BatchNormalization": _per_channel,
    "InstanceNormalization": _per_channel,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "LSTM": _recurrent,
    "GRU": _recurrent,
    "RNN": _recurrent,
}


@rule("WT012")
def variance_is_not_negative(candidate: StaticCandidate) -> Iterator[Violation]:
    """The variance of a BatchNormalization is not negative."""
    for node in candidate.nodes("BatchNormalization"):
        variance = candidate.constant(input_of(node, 4))
        if variance is not None and (variance < 0).any():
            yield Violation(node, f"variance is {float(variance.min()):g}, but should be at least 0")
