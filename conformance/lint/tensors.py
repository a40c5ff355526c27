"""The constants of a model, wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator

import onnx_ir as ir

from assay.conformance.lint.candidate import StaticCandidate
from assay.conformance.lint.external_data import external_fault
from assay.conformance.lint.registry import Subject
from assay.conformance.lint.weight_statistics import Weight


def tensors(candidate: StaticCandidate) -> Iterator[tuple[Subject, ir.TensorProtocol]]:
    """Each initializer with its value, then each tensor in an attribute with its node."""
    for graph in candidate.graphs:
        yield from (
            (value, value.const_value) for value in graph.initializers.values() if value.const_value is not None
        )
    for node in (node for scope in candidate.scopes for node in scope.nodes):
        yield from ((node, tensor) for attribute in node.attributes.values() for tensor in _held(attribute))


def readable_weights(candidate: StaticCandidate) -> Iterator[Weight]:
    """Those of `tensors` that hold numbers, inline or where they should lie (SE001 and SE002 report the others)."""
    for subject, tensor in tensors(candidate):
        external = isinstance(tensor, ir.ExternalTensor)
        if tensor.dtype == ir.DataType.STRING or (external and external_fault(tensor, candidate.path)):
            continue
        if external or inline_fault(tensor) is None:
            yield Weight(subject, tensor, candidate.path)


def inline_fault(tensor: ir.TensorProtocol) -> str | None:
    """What is wrong with the length of inline data; None where nothing is."""
    raw = tensor.raw if isinstance(tensor, ir.TensorProtoTensor) else None
    if raw is None or not raw.HasField("raw_data") or tensor.nbytes == len(raw.raw_data):
        return None
    return f"holds {len(raw.raw_data)} bytes, but should hold {tensor.nbytes} for its shape and dtype"


def _held(attribute: ir.Attr) -> tuple[ir.TensorProtocol, ...]:
    if attribute.is_ref():
        return ()
    if attribute.type == ir.AttributeType.TENSOR:
        return (attribute.as_tensor(),)
    return tuple(attribute.as_tensors()) if attribute.type == ir.AttributeType.TENSORS else ()
