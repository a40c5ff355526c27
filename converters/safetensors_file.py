"""The header of a ``.safetensors`` file: where each tensor lies; no tensor is read.

Eight bytes hold the length of a JSON object, which gives dtype, shape and place of each tensor by its name; the
tensors follow without gaps. Source: https://github.com/huggingface/safetensors#format.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from assay.converters.files import UnreadableError

SUFFIX = ".safetensors"
LONGEST_JSON = 1 << 25  # bytes; the format allows 100 MB, but JSON takes up to thirty times its size in memory
_METADATA = "__metadata__"
_MOST_AXES = 64
# the format's names: ours, and bytes an element
_DTYPES = {
    "BOOL": ("bool", 1),
    "U8": ("uint8", 1),
    "I8": ("int8", 1),
    "U16": ("uint16", 2),
    "I16": ("int16", 2),
    "F16": ("float16", 2),
    "BF16": ("bfloat16", 2),
    "U32": ("uint32", 4),
    "I32": ("int32", 4),
    "F32": ("float32", 4),
    "U64": ("uint64", 8),
    "I64": ("int64", 8),
    "F64": ("float64", 8),
}


@dataclass(frozen=True)
class PlacedTensor:
    """A tensor of a file: dtype and shape, and the bytes from ``offset`` on that hold it, little endian."""

    file: Path
    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    length: int

    @property
    def is_aligned(self) -> bool:
        """Whether it begins at a multiple of its element's size, so that it can be used where it lies."""
        return self.length == 0 or self.offset % (self.length // max(math.prod(self.shape), 1)) == 0


def placed_tensors(file: Path) -> dict[str, PlacedTensor]:
    """Every tensor of the file by its name; raises `UnreadableError` where the header and the file do not agree."""
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            if size < 8 or 8 + length > size:
                raise UnreadableError(file, f"has {size} bytes, but should have {8 + length} for its header alone")
            if length > LONGEST_JSON:
                raise UnreadableError(file, f"has a header of {length} bytes, but should have at most {LONGEST_JSON}")
            header = parse_object(opened.read(length), file)
    except OSError as error:
        raise UnreadableError(file, f"can't be read: {error.strerror}") from error
    header.pop(_METADATA, None)
    found = {name: _placed(file, name, entry, 8 + length) for name, entry in header.items()}
    _require_whole(file, found.values(), 8 + length, size)
    return found


def parse_object(data: bytes, file: Path) -> dict[str, Any]:
    """The JSON object that these bytes of the file hold; raises `UnreadableError`."""
    try:
        value = json.loads(data, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(file, f"holds no JSON where it should: {str(error)[:200]}") from error
    if not isinstance(value, dict):
        raise UnreadableError(file, f"holds a JSON {type(value).__name__}, but should hold an object")
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _placed(file: Path, name: str, entry: Any, begin: int) -> PlacedTensor:
    entry = entry if isinstance(entry, Mapping) else {}
    dtype, shape, place = (entry.get(key) for key in ("dtype", "shape", "data_offsets"))
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        due = f"but should be one of {', '.join(_DTYPES)}"
        raise UnreadableError(file, f"holds the tensor {name[:200]!r}, whose dtype is {str(dtype)[:40]}, {due}")
    if not _are_counts(shape) or len(shape) > _MOST_AXES:
        raise UnreadableError(file, f"holds the tensor {name[:200]!r}, whose shape is no list of sizes")
    if not _are_counts(place) or len(place) != 2:
        raise UnreadableError(file, f"holds the tensor {name[:200]!r}, whose data_offsets are no two offsets")
    ours, width = _DTYPES[dtype]
    due_length = math.prod(shape) * width
    if place[1] - place[0] != due_length:
        got = f"holds {place[1] - place[0]} bytes for the tensor {name[:200]!r}"
        raise UnreadableError(file, f"{got}, but should hold {due_length} for its shape and dtype")
    return PlacedTensor(file, name, ours, tuple(shape), begin + place[0], due_length)


def _are_counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)


def _require_whole(file: Path, tensors: Iterable[PlacedTensor], begin: int, size: int) -> None:
    """The tensors fill the file from the header to its end, one after the other."""
    ordered = sorted(tensors, key=lambda tensor: (tensor.offset, tensor.length))
    end = max((tensor.offset + tensor.length for tensor in ordered), default=begin)
    if end != size:
        state = "is truncated: it" if end > size else "holds more than its header says: it"
        raise UnreadableError(file, f"{state} has {size} bytes, but should have {end}")
    if ordered and ordered[0].offset != begin:
        raise UnreadableError(file, f"begins its tensors at byte {ordered[0].offset}, but should at {begin}")
    for one, other in pairwise(ordered):
        if one.offset + one.length != other.offset:
            got = f"begins the tensor {other.name[:200]!r} at byte {other.offset}"
            raise UnreadableError(
                file, f"{got}, but should at {one.offset + one.length}, where {one.name[:200]!r} ends"
            )
