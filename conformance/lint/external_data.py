"""External data: where it lies and whether it is whole there."""

from __future__ import annotations

import os
from pathlib import Path

import onnx_ir as ir


def data_path(tensor: ir.ExternalTensor, model: Path) -> Path:
    """The file that holds the tensor, be it inside the model's folder or not."""
    return model.parent / os.fspath(tensor.location)


def external_fault(tensor: ir.ExternalTensor, model: Path) -> str | None:
    """What is wrong with the place or the size of external data; None where nothing is."""
    location = os.fspath(tensor.location)
    if _is_absolute(location):
        return f"external data {location!r} is an absolute path, but should be relative to the model"
    path = data_path(tensor, model)
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


def _is_absolute(location: str) -> bool:
    return location.startswith(("/", "\\")) or location[1:2] == ":"


def _is_within(path: Path, model: Path) -> bool:
    """Links may lead to the folder that the model itself lies in, as in a cache of content-addressed files."""
    homes = (model.parent.resolve(), model.resolve().parent)
    return any(path.resolve().is_relative_to(home) for home in homes)
