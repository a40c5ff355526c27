"""ONNX to ONNX: the model as it is, at the opset that is asked for."""

from __future__ import annotations

import onnx_ir as ir

from assay.converters.exporter import ConvertError, Exported
from assay.converters.files import read_model
from assay.converters.sources.base import Source
from assay.converters.sources.onnx_model import OnnxSource, graph_inputs
from assay.specs.errors import brief


def export(source: Source, opset: int | None) -> Exported:
    """Read the model; ONNX's own version converter changes the opset where one is asked for."""
    assert isinstance(source, OnnxSource)
    model = read_model(source.path)
    if opset is not None and model.opset_imports.get("") != opset:
        model = _converted(source.name, model, opset)
    return Exported(model, tuple(value.name or "" for value in graph_inputs(model)), "onnx")


def _converted(name: str, model: ir.Model, opset: int) -> ir.Model:
    from onnx import version_converter

    try:
        return ir.from_proto(version_converter.convert_version(ir.to_proto(model), opset))
    except (RuntimeError, ValueError) as error:
        raise ConvertError(name, f"opset {opset}: {brief(error)}") from error
