"""The constants of a model, wherever they stand, and their bytes without a copy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from assay.conformance.lint.candidate import StaticCandidate
from assay.conformance.lint.registry import Subject

Array = NDArray[Any]


def tensors(candidate: StaticCandidate) -> Iterator[tuple[Subject, ir.TensorProtocol]]:
    """Each initializer with its value, then each tensor in an attribute with its node."""
    for graph in candidate.graphs:
        yield from (
            (value, value.const_value) for value in graph.initializers.values() if value.const_value is not None
        )
    for node in (node for scope in candidate.scopes for node in scope.nodes):
        yield from ((node, tensor) for attribute in node.attributes.values() for tensor in _held(attribute))


def readable_tensors(candidate: StaticCandidate) -> Iterator[tuple[Subject, ir.TensorProtocol]]:
    """Those of `tensors` whose data is inline or lies where it should (SE001 reports the others)."""
    for subject, tensor in tensors(candidate):
        if not isinstance(tensor, ir.ExternalTensor) or external_fault(tensor, candidate.path) is None:
            yield subject, tensor


def elements(tensor: ir.TensorProtocol, model: Path) -> Array:
    """The elements in one row; external data is mapped, so that only what is read costs memory."""
    if not isinstance(tensor, ir.ExternalTensor) or tensor.dtype.bitwidth < 8 or tensor.size == 0:
        return tensor.numpy().reshape(-1)
    dtype = tensor.dtype.numpy().newbyteorder("<")
    return np.memmap(_data_path(tensor, model), dtype, "r", tensor.offset or 0, (tensor.size,))


def external_fault(tensor: ir.ExternalTensor, model: Path) -> str | None:
    """What is wrong with the place or the size of external data; None where nothing is."""
    location = os.fspath(tensor.location)
    if _is_absolute(location):
        return f"external data {location!r} is an absolute path, but should be relative to the model"
    path = _data_path(tensor, model)
    if ".." in location.replace("\\", "/").split("/") or not _is_within(path, model):
        return f"external data {location!r} leaves the model's folder, but should stay in it"
    if not path.is_file():
        return f"external data {location!r} is missing, but should lie beside the model"
    return _size_fault(tensor, location, path.stat().st_size)


def _size_fault(tensor: ir.ExternalTensor, location: str, size: int) -> str | None:
    offset, length = tensor.offset or 0, tensor.length if tensor.length is not None else tensor.nbytes
    if length != tensor.nbytes:
        return f"external data has {length} bytes, but should have {tensor.nbytes} for its shape and dtype"
    if offset < 0 or offset + length > size:
        return f"external data ends at byte {offset + length}, but should end within the {size} bytes of {location!r}"
    return None


def _held(attribute: ir.Attr) -> tuple[ir.TensorProtocol, ...]:
    if attribute.is_ref():
        return ()
    if attribute.type == ir.AttributeType.TENSOR:
        return (attribute.as_tensor(),)
    return tuple(attribute.as_tensors()) if attribute.type == ir.AttributeType.TENSORS else ()


def _data_path(tensor: ir.ExternalTensor, model: Path) -> Path:
    return model.parent / os.fspath(tensor.location)


def _is_absolute(location: str) -> bool:
    return location.startswith(("/", "\\")) or location[1:2] == ":"


def _is_within(path: Path, model: Path) -> bool:
    """Links may lead to the folder that the model itself lies in, as in a cache of content-addressed files."""
    homes = (model.parent.resolve(), model.resolve().parent)
    return any(path.resolve().is_relative_to(home) for home in homes)
