"""An ``ExportedProgram`` to an ONNX graph."""

from __future__ import annotations

import onnx_ir as ir
import torch

from assay.converters.exporter import ConvertError
from assay.converters.pytorch.upstream import reason


def translate(program: torch.export.ExportedProgram, opset: int | None, name: str) -> ir.Model:
    """The graph of a program; ``name`` is what errors call the source. Raises `ConvertError`."""
    try:
        exported = torch.onnx.export(program, dynamo=True, opset_version=opset, verbose=False)
    except Exception as error:
        raise ConvertError(name, f"torch.onnx.export: {reason(error)}") from error
    assert exported is not None
    return exported.model
