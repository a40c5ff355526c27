"""Initializers whose elements lie in a checkpoint's shards point there, instead of being written again."""

from __future__ import annotations

import onnx_ir as ir
import torch

from assay.converters.safetensors_file import PlacedTensor
from assay.converters.sources.checkpoint import CheckpointSource


def point_into_shards(model: ir.Model, source: CheckpointSource) -> None:
    """Rewrite in place; weights that are tied in the checkpoint become one initializer."""
    first: dict[PlacedTensor, ir.Value] = {}
    for value in list(model.graph.initializers.values()):
        place = _place(value, source)
        if place is None:
            continue
        kept = first.setdefault(place, value)
        if kept is value:
            value.const_value = _external(place, value)
            if place.name not in model.graph.initializers:  # of tied weights, the one that is stored gives the name
                value.name = place.name
        else:
            ir.convenience.replace_all_uses_with(value, kept, replace_graph_outputs=True)
            model.graph.initializers.pop(value.name or "")


def _place(value: ir.Value, source: CheckpointSource) -> PlacedTensor | None:
    """Where an initializer that the exporter took over as it is lies; by its address, whatever its name became."""
    raw = getattr(value.const_value, "raw", None)
    return source.place_of(raw) if isinstance(raw, torch.Tensor) else None


def _external(place: PlacedTensor, value: ir.Value) -> ir.ExternalTensor:
    assert value.const_value is not None
    return ir.ExternalTensor(
        place.file.name,
        place.offset,
        place.length,
        value.const_value.dtype,
        shape=ir.Shape(place.shape),
        name=place.name,
        base_dir=place.file.parent,
    )
