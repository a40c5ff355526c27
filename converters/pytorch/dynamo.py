"""PyTorch to ONNX through ``torch.export`` and ``torch.onnx.export(dynamo=True)`` as it comes, to compare with."""

from __future__ import annotations

import torch

from assay.converters.exporter import ConvertError, Exported
from assay.converters.pytorch.tracing import trace_strictly
from assay.converters.pytorch.upstream import quiet, reason
from assay.converters.sources.base import Source


def export(source: Source, opset: int | None) -> Exported:
    """Export a module or program; a dynamic axis that the model's code pins to one size is an error."""
    with quiet():
        program = trace_strictly(source)
        try:
            exported = torch.onnx.export(program, dynamo=True, opset_version=opset, verbose=False)
        except Exception as error:
            raise ConvertError(source.name, f"torch.onnx.export: {reason(error)}") from error
    assert exported is not None
    return Exported(exported.model, tuple(value.name or "" for value in exported.model.graph.inputs), "torch.onnx")
