"""PyTorch to ONNX: traced, translated, and refused where the graph would not keep the model's meaning."""

from __future__ import annotations

from dataclasses import replace

import torch

from assay.converters.exporter import Exported
from assay.converters.pytorch.adapters import adapted_export
from assay.converters.pytorch.guards import listening
from assay.converters.pytorch.ledger import ledger_of
from assay.converters.pytorch.stored_initializers import point_into_shards
from assay.converters.pytorch.tracing import trace
from assay.converters.pytorch.translation import translate
from assay.converters.pytorch.upstream import quiet
from assay.converters.sources.base import Source
from assay.converters.sources.checkpoint import CheckpointSource

NAME = "assay.pytorch"


def export(source: Source, opset: int | None) -> Exported:
    """Export a module or program, with the conditions on sizes under which the graph is right."""
    other = adapted_export(source)
    if other is not None:
        exported = other(source, opset)
        return replace(exported, exporter=f"{NAME} ({exported.exporter})")
    # with gradients attention takes another kernel, whose strides the views of the trace do not fit (T5, BEiT)
    with quiet(), torch.no_grad():
        with listening() as traced:
            program = trace(source)
        ledger = ledger_of(source.name, program, source.inputs, traced)
        with listening() as translated:
            model = translate(program, opset, source.name)
        clauses = ledger.and_of(translated).clauses
    names = tuple(value.name or "" for value in model.graph.inputs)
    if not isinstance(source, CheckpointSource):
        return Exported(model, names, NAME, clauses)
    point_into_shards(model, source)
    return Exported(model, names, NAME, clauses, source.shards)
