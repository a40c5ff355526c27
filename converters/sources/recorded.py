"""What a source does inside on one input: each operation with its result and its place in the model's code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from assay.converters.sources.base import Source


@dataclass(frozen=True)
class Recorded:
    """One operation: its name in the framework, its result, and the positions in the record of what it is made from."""

    op: str
    value: np.ndarray
    inputs: tuple[int, ...] = ()
    module: str | None = None
    line: str | None = None


def record(source: Source, feeds: Mapping[str, np.ndarray]) -> list[Recorded]:
    """Every operation of one forward pass, in the order in which it runs; empty for a source that can't be watched."""
    if source.framework == "pytorch":
        from assay.converters.sources.torch_recording import record_torch

        return record_torch(source, feeds)  # type: ignore[arg-type]
    if source.framework == "tensorflow":
        from assay.converters.sources.tf_recording import record_tensorflow

        return record_tensorflow(source, feeds)  # type: ignore[arg-type]
    return []


def computed_arrays(source: Source, feeds: Mapping[str, np.ndarray]) -> Iterable[tuple[str, np.ndarray]]:
    """Operation and result of all that the source computes, what it makes of its weights alone among it."""
    if source.framework == "onnx":
        from assay.converters.sources.onnx_folding import folded_constants

        return folded_constants(source.proto())  # type: ignore[attr-defined]
    return [(one.op, one.value) for one in record(source, feeds)]
