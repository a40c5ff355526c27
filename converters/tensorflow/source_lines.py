"""Where an operation comes from: the line of the model's code, and the layer."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from assay.converters.passes.record_source_lines import MODULE, SOURCE_LINE
from assay.converters.sources import keras_composites

_OWN = str(Path(keras_composites.__file__).parent)
_LIBRARIES = ("/site-packages/", "/dist-packages/", "/lib/python")
_CALLS = ("PartitionedCall", "StatefulPartitionedCall")


def users_line(operation: Any) -> str | None:
    """The innermost line that is not a library's, as ``file.py:12``; None where it was traced by libraries alone."""
    for frame in _innermost_first(operation.traceback):
        file = frame.filename
        if _is_library(file):
            continue
        if file.startswith(_OWN):  # who asked for the conversion is further out
            return None
        return f"{file.rsplit('/', 1)[-1]}:{frame.lineno}"
    return None


def _innermost_first(traceback: Any) -> Iterator[Any]:
    """The frames of TensorFlow's own record, one at a time: to make a list of it takes longer than all else here."""
    return (traceback[index] for index in range(len(traceback or ()) - 1, -1, -1))


@cache
def _is_library(file: str) -> bool:
    return file == keras_composites.__file__ or any(part in file for part in _LIBRARIES)


def layer_path(name: str) -> str:
    """The scope of an operation's name, without what calls of functions add to it."""
    parts = name.split("/")[:-1]
    return "/".join(part for part in parts if part.rstrip("_0123456789") not in _CALLS)


def origin_of(operation: Any, prefix: str) -> dict[str, str]:
    """Both as metadata of nodes."""
    found = {MODULE: layer_path(prefix + operation.name), SOURCE_LINE: users_line(operation)}
    return {key: value for key, value in found.items() if value}
