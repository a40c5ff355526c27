"""OP, WT: where precision is lost, wasted, or runs into infinity."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx_ir as ir

from assay.conformance.lint.attributes import NORMALIZATIONS
from assay.conformance.lint.candidate import StaticCandidate
from assay.conformance.lint.dataflow import input_of, origin, readers
from assay.conformance.lint.registry import Violation, rule

_DIVIDERS = frozenset({"Sqrt", "Reciprocal", "Log", "Pow"})
_UNCHANGED = frozenset({"Identity", "Dropout", "Cast"})
_MASKING = frozenset({"Add", "Cast", "Identity", "Unsqueeze", "Squeeze", "Expand", "Reshape", "Mul", "Div"})
_FLOAT16_HIGH, _FLOAT16_LOW = 65504.0, 5.960464477539063e-08
_SIGNED = frozenset({ir.DataType.INT8, ir.DataType.INT16, ir.DataType.INT32, ir.DataType.INT64})
_UNBOUNDED = 3.4e38  # finfo(float32).min and its like stand for infinity; runtimes saturate it on purpose


@rule("OP017")
def no_float64_island(candidate: StaticCandidate) -> Iterator[Violation]:
    """Nothing is computed in float64 where no input is float64."""
    if any(value.dtype == ir.DataType.DOUBLE for value in candidate.inputs):
        return
    doubles = [node for node in candidate.graph if _gives_double(candidate, node)]
    inner = frozenset(doubles)
    shores = [node for node in doubles if not any(v.producer() in inner for v in node.inputs if v is not None)]
    for node in shores:
        sentence = f"{node.op_type} gives float64 where no input of the model is, but should give float32"
        yield Violation(node, sentence, {"nodes": len(doubles)})


def _gives_double(candidate: StaticCandidate, node: ir.Node) -> bool:
    if node.op_type == "Constant" or not node.outputs or node.outputs[0] not in candidate.following_inputs:
        return False
    return candidate.dtype_of(node.outputs[0]) == ir.DataType.DOUBLE


@rule("OP018")
def epsilon_survives(candidate: StaticCandidate) -> Iterator[Violation]:
    """No zero is added before a root, a logarithm or a division: it was an epsilon."""
    for node in candidate.nodes("Add"):
        zero = next((found for found in map(candidate.scalar, node.inputs) if found is not None), None)
        if zero == 0 and any(_divides(reader, node.outputs[0]) for reader in readers(node.outputs[0])):
            yield Violation(node, "adds 0 before a root or division, but should add an epsilon above 0")


def _divides(reader: ir.Node, value: ir.Value) -> bool:
    return reader.op_type in _DIVIDERS or (reader.op_type == "Div" and input_of(reader, 1) is value)


@rule("OP024")
def cast_keeps_precision(candidate: StaticCandidate) -> Iterator[Violation]:
    """No float goes through a narrower float and back."""
    for node, wide, narrow in _round_trips(candidate):
        if wide.is_floating_point() and narrow.is_floating_point() and narrow.bitwidth < wide.bitwidth:
            got = f"casts {wide.name.lower()} to {narrow.name.lower()} and back, which rounds"
            yield Violation(node, f"{got}, but should stay {wide.name.lower()}")


@rule("OP025")
def cast_keeps_range(candidate: StaticCandidate) -> Iterator[Violation]:
    """No number goes through an integer that holds less, and back."""
    for node, wide, narrow in _round_trips(candidate):
        if narrow.is_integer() and (wide.is_floating_point() or narrow.bitwidth < wide.bitwidth):
            got = f"casts {wide.name.lower()} to {narrow.name.lower()} and back, which cuts off"
            yield Violation(node, f"{got}, but should stay {wide.name.lower()} unless that is meant")


def _round_trips(candidate: StaticCandidate) -> Iterator[tuple[ir.Node, ir.DataType, ir.DataType]]:
    """Each Cast whose result is cast back at once: the first Cast, the dtype outside and the one between."""
    for back in candidate.nodes("Cast"):
        cast = back.inputs[0].producer() if back.inputs[0] is not None else None
        if cast is None or cast.op_type != "Cast" or back.outputs[0] not in candidate.following_inputs:
            continue
        wide, narrow = candidate.dtype_of(cast.inputs[0]), candidate.dtype_of(cast.outputs[0])
        if wide is not None and narrow is not None and candidate.dtype_of(back.outputs[0]) == wide:
            yield cast, wide, narrow


@rule("OP026")
def integer_division_is_meant(candidate: StaticCandidate) -> Iterator[Violation]:
    """Integers of an input are not divided by an operator that rounds negative ones towards zero."""
    for node in candidate.nodes("Div", "Mod"):
        value = input_of(node, 0)
        truncates = node.op_type == "Div" or node.attributes.get_int("fmod", 0) > 0
        if truncates and value in candidate.following_inputs and candidate.dtype_of(value) in _SIGNED:
            got = f"{node.op_type} of integers rounds towards zero"
            yield Violation(node, f"{got}, but should round down where the source's `//` and `%` meet negative numbers")


@rule("OP030")
def logarithm_is_stable(candidate: StaticCandidate) -> Iterator[Violation]:
    """No logarithm is taken of what underflows or overflows before it."""
    for node in candidate.nodes("Log"):
        source = origin(input_of(node, 0), _UNCHANGED)
        producer = None if source is None else source.producer()
        if producer is not None and producer.op_type == "Softmax":
            yield Violation(node, "takes the logarithm of a Softmax, but should be LogSoftmax, which can't underflow")
        elif producer is not None and producer.op_type == "Add" and _adds_one_to_exp(candidate, producer):
            yield Violation(node, "takes the logarithm of 1 + exp, but should be Softplus, which can't overflow")


def _adds_one_to_exp(candidate: StaticCandidate, node: ir.Node) -> bool:
    producers = [value.producer() for value in node.inputs if value is not None]
    return 1 in map(candidate.scalar, node.inputs) and any(p is not None and p.op_type == "Exp" for p in producers)


@rule("OP031")
def softmax_is_single(candidate: StaticCandidate) -> Iterator[Violation]:
    """No Softmax is applied to probabilities."""
    for node in candidate.nodes("Softmax", "LogSoftmax"):
        source = origin(input_of(node, 0), _UNCHANGED)
        producer = None if source is None else source.producer()
        if producer is not None and producer.op_type in ("Softmax", "Sigmoid"):
            yield Violation(node, f"{node.op_type} reads probabilities of a {producer.op_type}, but should read logits")


@rule("OP034")
def masked_row_is_defined(candidate: StaticCandidate) -> Iterator[Violation]:
    """A row that a mask hides whole gives no NaN."""
    for node in candidate.nodes("Softmax"):
        masks = _infinite_masks(candidate, input_of(node, 0))
        guarded = any(reader.op_type in ("IsNaN", "Where") for reader in readers(node.outputs[0]))
        if masks and not guarded:
            got = f"is masked by -inf ({masks[0].name or masks[0].op_type}), so that a row hidden whole gives NaN"
            yield Violation(node, f"{got}, but should give 0 or be guarded by IsNaN")


def _infinite_masks(candidate: StaticCandidate, value: ir.Value | None, depth: int = 6) -> list[ir.Node]:
    """The Where nodes among what is added up to this value that put -inf where a computed mask says so."""
    node = None if value is None else value.producer()
    if node is None or depth == 0:
        return []
    if node.op_type == "Where":
        fills = [candidate.scalar(branch) for branch in node.inputs[1:3]]
        return [node] if -np.inf in fills and candidate.constant(node.inputs[0]) is None else []
    found = node.inputs if node.op_type in _MASKING else ()
    return [mask for inner in found for mask in _infinite_masks(candidate, inner, depth - 1)]


@rule("WT007")
def infinity_is_no_factor(candidate: StaticCandidate) -> Iterator[Violation]:
    """Nothing is multiplied by an infinity: 0 times infinity is NaN."""
    for node in candidate.nodes("Mul"):
        for array in map(candidate.constant, node.inputs):
            if array is not None and array.dtype.kind == "f" and np.isinf(array).any():
                yield Violation(
                    node, "multiplies by a constant infinity, which makes NaN of 0, but should by a finite one"
                )


@rule("WT014")
def constant_fits_float16(candidate: StaticCandidate) -> Iterator[Violation]:
    """Scalar constants and epsilons neither vanish nor overflow in float16."""
    for value in (value for node in candidate.all_nodes for value in node.inputs):
        number = candidate.scalar(value) if candidate.dtype_of(value) == ir.DataType.FLOAT else None
        if value is not None and number and abs(number) < _UNBOUNDED and not _fits(abs(number)):
            yield Violation(value, f"is {number:g}, which float16 can't hold, but should lie within 6e-8 and 65504")
    for node in candidate.nodes(*NORMALIZATIONS, domain=None):
        epsilon = node.attributes.get_float("epsilon", 1e-5)
        if 0 < epsilon < _FLOAT16_LOW:
            yield Violation(node, f"epsilon is {epsilon:g}, which is 0 in float16, but should be at least 6e-8")


def _fits(magnitude: float) -> bool:
    return _FLOAT16_LOW <= magnitude <= _FLOAT16_HIGH
