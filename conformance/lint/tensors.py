"""The constants of a model, wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Sized
from typing import TYPE_CHECKING

import onnx_ir as ir

from assay.conformance.lint.candidate import StaticCandidate
from assay.conformance.lint.registry import Subject
from assay.conformance.lint.weight_statistics import Weight
from assay.converters.stored_weights import StoredTensor

if TYPE_CHECKING:
    import onnx


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
        if tensor.dtype != ir.DataType.STRING and id(tensor) not in candidate.faults:
            yield Weight(subject, tensor, candidate.path)


def faults(candidate: StaticCandidate) -> dict[int, str]:
    """What is wrong with the place or the length of each tensor whose elements can't be read, by its identity."""
    found = ((tensor, _fault(tensor, candidate)) for _, tensor in tensors(candidate))
    return {id(tensor): fault for tensor, fault in found if fault is not None}


def _fault(tensor: ir.TensorProtocol, candidate: StaticCandidate) -> str | None:
    if tensor.dtype == ir.DataType.UNDEFINED:
        return "has no dtype, but should have one"
    if isinstance(tensor, ir.ExternalTensor):
        return candidate.data_files.fault(tensor)
    return _inline_fault(tensor)


def _inline_fault(tensor: ir.TensorProtocol) -> str | None:
    """What is wrong with the length of inline data; None where nothing is."""
    if isinstance(tensor, StoredTensor):
        return _shape_fault(tensor.shape.numpy()) or _length_fault(tensor.length, tensor.nbytes, "bytes")
    raw = tensor.raw if isinstance(tensor, ir.TensorProtoTensor) else None
    if raw is None:
        return None
    if fault := _shape_fault(raw.dims):
        return fault
    if raw.HasField("raw_data"):
        return _length_fault(len(raw.raw_data), tensor.nbytes, "bytes")
    count = _typed_count(raw)
    return None if count is None else _length_fault(count, _typed_due(tensor), "elements")


def _shape_fault(shape: Sequence[int]) -> str | None:
    return f"has the shape {list(shape)}, but should have no negative size" if any(n < 0 for n in shape) else None


def _length_fault(held: int, due: int, unit: str) -> str | None:
    return None if held == due else f"holds {held} {unit}, but should hold {due} for its shape and dtype"


def _typed_count(raw: onnx.TensorProto) -> int | None:
    """The elements in the list that the dtype uses; None where the dtype has none of its own."""
    if raw.data_type in (8, 14, 15):  # strings and complex numbers
        return None
    fields: dict[int, Sized] = {1: raw.float_data, 7: raw.int64_data, 11: raw.double_data}
    fields |= dict.fromkeys((12, 13), raw.uint64_data)
    return len(fields.get(raw.data_type, raw.int32_data))


def _typed_due(tensor: ir.TensorProtocol) -> int:
    """One element each, and as many narrow ones together as fill a byte."""
    return -(-tensor.size * tensor.dtype.bitwidth // 8) if tensor.dtype.bitwidth < 8 else tensor.size


def _held(attribute: ir.Attr) -> tuple[ir.TensorProtocol, ...]:
    if attribute.is_ref():
        return ()
    if attribute.type == ir.AttributeType.TENSOR:
        return (attribute.value,)  # as_tensor would compute its size
    return tuple(attribute.value) if attribute.type == ir.AttributeType.TENSORS else ()
