"""PyTorch to ONNX: traced, translated, and refused where the graph would not keep the model's meaning."""

from __future__ import annotations

from assay.converters.exporter import Exported
from assay.converters.pytorch.stored_initializers import point_into_shards
from assay.converters.pytorch.tracing import trace
from assay.converters.pytorch.translation import translate
from assay.converters.pytorch.upstream import quiet
from assay.converters.sources.base import Source
from assay.converters.sources.checkpoint import CheckpointSource

NAME = "assay.pytorch"


def export(source: Source, opset: int | None) -> Exported:
    """Export a module or program; a dynamic axis that the model's code pins to one size is an error."""
    with quiet():
        model = translate(trace(source), opset, source.name)
    names = tuple(value.name or "" for value in model.graph.inputs)
    if not isinstance(source, CheckpointSource):
        return Exported(model, names, NAME)
    point_into_shards(model, source)
    return Exported(model, names, NAME, source.shards)
