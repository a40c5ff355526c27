"""WT: the values of weights."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import onnx_ir as ir

from assay.conformance.lint.candidate import StaticCandidate
from assay.conformance.lint.dataflow import input_of
from assay.conformance.lint.location import subject_name
from assay.conformance.lint.registry import Subject, Violation, rule
from assay.conformance.lint.weight_statistics import Weight, same_elements, transposed_elements

_SHARED_BYTES = 1024
_MATRICES = frozenset({"MatMul", "Gemm", "Conv", "ConvTranspose"})
_WEIGHTED = _MATRICES | {
    *("LSTM", "GRU", "RNN", "QuantizeLinear", "BatchNormalization", "InstanceNormalization"),
    *("GroupNormalization", "LayerNormalization", "RMSNormalization"),
}
_PASS_THROUGH = frozenset({"Transpose", "Reshape", "Identity", "Cast", "Squeeze", "Unsqueeze", "DequantizeLinear"})
_ROUNDED_SIZE = 1024  # smaller weights may hold short numbers by chance
_SUBNORMAL_SHARE = 0.01
_ZERO_SHARE = 0.05
_BFLOAT16 = 0xFFFF, 0x007F_0000  # bits that bfloat16 does not have, and those of its mantissa
_FLOAT16 = 0x1FFF, 0x007F_E000


@rule("WT001")
def weights_are_finite(candidate: StaticCandidate) -> Iterator[Violation]:
    """No NaN anywhere; no infinity in what multiplies."""
    for weight in candidate.weights:
        if not weight.tensor.dtype.is_floating_point() or _is_of_trees(weight.subject):
            continue
        found, size = weight.statistics, weight.tensor.size
        if found.nans:
            sentence = f"{found.nans} of {size} values are NaN, but should be finite"
            yield Violation(weight.subject, sentence, {"nan": found.nans})
        elif found.infinities and _is_weight(weight.subject):
            sentence = f"{found.infinities} of {size} values are infinite, but should be finite"
            yield Violation(weight.subject, sentence, {"infinite": found.infinities})


def _is_of_trees(subject: Subject) -> bool:
    """Trees of ai.onnx.ml separate their lists by NaN."""
    return isinstance(subject, ir.Node) and subject.domain == "ai.onnx.ml"


def _values(subject: Subject) -> list[ir.Value]:
    return [subject] if isinstance(subject, ir.Value) else list(subject.outputs) if isinstance(subject, ir.Node) else []


def _is_weight(subject: Subject) -> bool:
    """Whether a linear, convolutional, recurrent or normalizing operator reads the tensor."""
    return any(node.op_type in _WEIGHTED for node, _ in _uses(subject))


def _uses(subject: Subject) -> Iterator[tuple[ir.Node, int]]:
    """The operators that read the tensor and the places where, also by way of those that only turn it."""
    values, seen = _values(subject), set[ir.Value]()
    while values:
        value = values.pop()
        if value in seen:
            continue
        seen.add(value)
        for node, index in value.uses():
            yield node, index
            values += node.outputs if node.op_type in _PASS_THROUGH else ()


def _is_matrix(weight: Weight) -> bool:
    """Whether a linear or convolutional operator reads the tensor as its weights."""
    if len(weight.shape) < 2 or not weight.tensor.dtype.is_floating_point():
        return False
    return any(
        node.op_type in _MATRICES and (index == 1 or node.op_type == "MatMul") for node, index in _uses(weight.subject)
    )


@rule("WT002")
def weights_are_shared(candidate: StaticCandidate) -> Iterator[Violation]:
    """No large tensor is stored twice."""
    alike: dict[tuple[object, ...], list[Weight]] = defaultdict(list)
    for weight in _large(candidate):
        alike[weight.tensor.dtype, weight.shape, weight.statistics.sample].append(weight)
    for group in alike.values():
        yield from _repeats(group)


def _large(candidate: StaticCandidate) -> Iterable[Weight]:
    return (w for w in candidate.weights if w.tensor.nbytes > _SHARED_BYTES and not w.statistics.is_constant)


def _repeats(group: list[Weight]) -> Iterator[Violation]:
    kept: list[Weight] = []
    for weight in group:
        twin = next((other for other in kept if same_elements(other, weight)), None)
        if twin is None:
            kept.append(weight)
        else:
            size = weight.tensor.nbytes
            sentence = f"holds the same {size} bytes as {subject_name(twin.subject)!r}, but should share them"
            yield Violation(weight.subject, sentence, {"bytes": size})


@rule("WT006")
def weights_are_shared_transposed(candidate: StaticCandidate) -> Iterator[Violation]:
    """No large matrix is stored again transposed."""
    alike: dict[tuple[object, ...], list[Weight]] = defaultdict(list)
    for weight in (weight for weight in _large(candidate) if len(weight.shape) == 2):
        alike[weight.tensor.dtype, weight.statistics.low, weight.statistics.high].append(weight)
    for group in alike.values():
        for index, weight in enumerate(group):
            twin = next((other for other in group[:index] if _is_transposed(other, weight)), None)
            if twin is not None:
                got = f"holds the {weight.tensor.nbytes} bytes of {subject_name(twin.subject)!r} transposed"
                yield Violation(weight.subject, f"{got}, but should share them", {"bytes": weight.tensor.nbytes})


def _is_transposed(a: Weight, b: Weight) -> bool:
    return a.shape == b.shape[::-1] and not (a.shape == b.shape and same_elements(a, b)) and transposed_elements(a, b)


@rule("WT003")
def weights_are_normal(candidate: StaticCandidate) -> Iterator[Violation]:
    """Few weights are so small that processors compute them slowly or take them for zero."""
    for weight in candidate.weights:
        if weight.tensor.dtype != ir.DataType.FLOAT:
            continue
        count, size = weight.statistics.subnormals, weight.tensor.size
        if count > _SUBNORMAL_SHARE * size:
            sentence = f"{count} of {size} values are subnormal, but should be 0 or of normal size"
            yield Violation(weight.subject, sentence, {"subnormal": count})


@rule("WT004")
def weight_is_not_zero(candidate: StaticCandidate) -> Iterator[Violation]:
    """No weight of a linear or convolutional operator is zero throughout."""
    for weight in filter(_is_matrix, candidate.weights):
        if weight.statistics.low == weight.statistics.high == 0 and not weight.statistics.nans:
            yield Violation(weight.subject, f"all {weight.tensor.size} values are 0, but should be trained weights")


@rule("WT005")
def channel_is_alive(candidate: StaticCandidate) -> Iterator[Violation]:
    """Few channels of a convolution or dense layer are zero throughout; a Fourier basis has two."""
    for weight in filter(_has_rows_of_channels, candidate.weights):
        rows, count = weight.statistics.zero_rows, weight.shape[0]
        if _ZERO_SHARE * count < rows < count:
            sentence = f"{rows} of {count} channels are 0 throughout, but should be trained or left out"
            yield Violation(weight.subject, sentence, {"channels": rows})


def _has_rows_of_channels(weight: Weight) -> bool:
    """Whether the first axis is that of output channels."""
    uses = ((node, index) for value in _values(weight.subject) for node, index in value.uses())
    rows = (node.op_type == "Conv" or bool(node.attributes.get_int("transB", 0)) for node, index in uses if index == 1)
    return _is_matrix(weight) and any(rows)


@rule("WT011")
def weight_is_as_precise_as_its_dtype(candidate: StaticCandidate) -> Iterator[Violation]:
    """A float32 weight holds more than float16 or bfloat16 could."""
    for weight in candidate.weights:
        if weight.tensor.dtype != ir.DataType.FLOAT or weight.tensor.size < _ROUNDED_SIZE or not _is_matrix(weight):
            continue
        bits = weight.statistics.bits
        for name, (beyond, mantissa) in (("bfloat16", _BFLOAT16), ("float16", _FLOAT16)):
            if not bits & beyond and bits & mantissa == mantissa:
                got = f"is float32 with values of {name} only"
                yield Violation(weight.subject, f"{got}, but should be {name} or keep what the cast has cut off")
                break


@rule("WT013")
def statistics_are_trained(candidate: StaticCandidate) -> Iterator[Violation]:
    """A BatchNormalization has seen data: its mean is not 0 with a variance of 1 throughout."""
    for node in candidate.nodes("BatchNormalization"):
        mean, variance = (candidate.constant(input_of(node, index)) for index in (3, 4))
        if mean is not None and variance is not None and not mean.any() and (variance == 1).all():
            yield Violation(node, "mean is 0 and variance 1 throughout, as before training, but should be of data")
