"""WT: the values of weights."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import onnx_ir as ir

from assay.conformance.lint.candidate import StaticCandidate
from assay.conformance.lint.registry import Subject, Violation, rule
from assay.conformance.lint.tensors import Array, elements, readable_tensors

_CHUNK = 1 << 20
_SHARED_BYTES = 1024
_SAMPLE = 256
_WEIGHTED = frozenset(
    {"MatMul", "Gemm", "Conv", "ConvTranspose", "LSTM", "GRU", "RNN", "QuantizeLinear"}
    | {"BatchNormalization", "InstanceNormalization", "GroupNormalization", "LayerNormalization", "RMSNormalization"}
)
_PASS_THROUGH = frozenset({"Transpose", "Reshape", "Identity", "Cast", "Squeeze", "Unsqueeze", "DequantizeLinear"})


@rule("WT001")
def weights_are_finite(candidate: StaticCandidate) -> Iterator[Violation]:
    """No NaN anywhere; no infinity in what multiplies."""
    for subject, tensor in readable_tensors(candidate):
        if not tensor.dtype.is_floating_point():
            continue
        nans, infinities = _non_finite(elements(tensor, candidate.path))
        if nans:
            yield Violation(subject, f"{nans} of {tensor.size} values are NaN, but should be finite", {"nan": nans})
        elif infinities and _is_weight(subject):
            sentence = f"{infinities} of {tensor.size} values are infinite, but should be finite"
            yield Violation(subject, sentence, {"infinite": infinities})


def _non_finite(values: Array) -> tuple[int, int]:
    """How many values are NaN and how many infinite, read chunk by chunk."""
    nans = infinities = 0
    for start in range(0, values.size, _CHUNK):
        chunk = values[start : start + _CHUNK]
        if not np.isfinite(chunk).all():
            nans += int(np.isnan(chunk).sum())
            infinities += int((~np.isfinite(chunk)).sum()) - int(np.isnan(chunk).sum())
    return nans, infinities


def _is_weight(subject: Subject) -> bool:
    """Whether a linear, convolutional, recurrent or normalizing operator reads the tensor."""
    values = (
        [subject] if isinstance(subject, ir.Value) else list(subject.outputs) if isinstance(subject, ir.Node) else []
    )
    seen: set[ir.Value] = set()
    while values:
        value = values.pop()
        if value in seen:
            continue
        seen.add(value)
        for node, _ in value.uses():
            if node.op_type in _WEIGHTED:
                return True
            values += node.outputs if node.op_type in _PASS_THROUGH else ()
    return False


@rule("WT002")
def weights_are_shared(candidate: StaticCandidate) -> Iterator[Violation]:
    """No large tensor is stored twice."""
    alike: dict[tuple[object, ...], list[tuple[Subject, Array]]] = defaultdict(list)
    for subject, tensor in readable_tensors(candidate):
        if tensor.nbytes > _SHARED_BYTES and tensor.dtype != ir.DataType.STRING:
            values = elements(tensor, candidate.path)
            alike[tensor.dtype, tuple(tensor.shape.numpy()), _sample(values)].append((subject, values))
    for group in alike.values():
        yield from _repeats(group)


def _repeats(group: list[tuple[Subject, Array]]) -> Iterator[Violation]:
    kept: list[tuple[Subject, Array]] = []
    for subject, values in group:
        twin = next((other for other, theirs in kept if _same(values, theirs)), None)
        if twin is None:
            kept.append((subject, values))
        elif not (values == values[0]).all():
            sentence = f"holds the same {values.nbytes} bytes as {twin.name!r}, but should share them"  # type: ignore[union-attr]
            yield Violation(subject, sentence, {"bytes": values.nbytes})


def _sample(values: Array) -> bytes:
    """A few values spread over the tensor: tensors that differ differ here, nearly always."""
    return values[:: max(1, values.size // _SAMPLE)].tobytes()


def _same(a: Array, b: Array) -> bool:
    return np.array_equal(a.view(np.uint8), b.view(np.uint8))
