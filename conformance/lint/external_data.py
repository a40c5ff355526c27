"""External data: where it lies and whether it is whole there."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import onnx_ir as ir


@dataclass(frozen=True)
class Place:
    """A file of external data as the model names it: its real path and size, or what is wrong with the place."""

    path: Path
    size: int = 0
    fault: str | None = None


@dataclass(frozen=True)
class DataFiles:
    """The files of external data of one model; each is looked at once."""

    model: Path
    _places: dict[str, Place] = field(default_factory=dict)

    def fault(self, tensor: ir.ExternalTensor) -> str | None:
        """What is wrong with the place or the size of external data; None where nothing is."""
        place = self.place(tensor)
        return place.fault or _size_fault(tensor, place.size)

    def place(self, tensor: ir.ExternalTensor) -> Place:
        """Where the tensor lies."""
        location = os.fspath(tensor.location)
        if location not in self._places:
            self._places[location] = self._look(location)
        return self._places[location]

    def _look(self, location: str) -> Place:
        path = self.model.parent / location
        try:
            return self._judge(path, location)
        except (OSError, ValueError, RuntimeError):  # a name that no file can have, a loop of links
            return Place(path, fault=f"external data {location[:80]!r} is no place, but should be a file's name")

    def _judge(self, path: Path, location: str) -> Place:
        if location.startswith(("/", "\\")) or location[1:2] == ":":
            due = "is an absolute path, but should be relative to the model"
        elif ".." in location.replace("\\", "/").split("/") or not self._holds(path):
            due = "leaves the model's folder, but should stay in it"
        elif not path.is_file():
            due = "is missing, but should lie beside the model"
        else:
            return Place(path.resolve(), path.stat().st_size)
        return Place(path, fault=f"external data {location!r} {due}")

    @cached_property
    def _homes(self) -> tuple[Path, Path]:
        """Links may lead to the folder that the model itself lies in, as in a cache of content-addressed files."""
        return self.model.parent.resolve(), self.model.resolve().parent

    def _holds(self, path: Path) -> bool:
        return any(path.resolve().is_relative_to(home) for home in self._homes)


def _size_fault(tensor: ir.ExternalTensor, size: int) -> str | None:
    offset, length = tensor.offset or 0, tensor.length if tensor.length is not None else tensor.nbytes
    if length != tensor.nbytes:
        return f"external data has {length} bytes, but should have {tensor.nbytes} for its shape and dtype"
    if offset < 0 or offset + length > size:
        where = f"within the {size} bytes of {os.fspath(tensor.location)!r}"
        return f"external data ends at byte {offset + length}, but should end {where}"
    return None
