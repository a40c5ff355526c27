"""TensorFlow to ONNX through tf2onnx, until the native converter takes its place."""

from __future__ import annotations

import logging
from typing import Any

import onnx_ir as ir
import tf2onnx
import tf2onnx.utils

from assay.converters.exporter import ConvertError, Exported
from assay.converters.sources.base import Source
from assay.converters.sources.tf_function import TensorFlowSource
from assay.specs.errors import brief

_DEFAULT_OPSET = 18  # the newest that tf2onnx 1.17 writes


def export(source: Source, opset: int | None) -> Exported:
    """Export the source's flat function; eager tensors that it captured become constants again."""
    assert isinstance(source, TensorFlowSource)
    function = source.function
    tf2onnx.utils.INTERNAL_NAME = 1  # names end in a counter of the process: the same bytes need the same start
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    try:
        proto, _ = tf2onnx.convert.from_function(_Traced(function), input_signature=[], opset=opset or _DEFAULT_OPSET)
    except Exception as error:
        raise ConvertError(source.name, f"tf2onnx: {type(error).__name__}: {brief(error)}") from error
    model = ir.from_proto(proto)
    names = [_graph_name(tensor.name, model) for tensor in function.inputs if tensor.dtype.name != "resource"]
    _embed_captures(model, function, names[len(source.inputs) :])
    return Exported(model, tuple(names[: len(source.inputs)]), "tf2onnx")


class _Traced:
    """What tf2onnx asks a ``tf.function`` for, answered with the function that is traced already."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def get_concrete_function(self, *_signature: Any) -> Any:
        return self.function


def _graph_name(tensor_name: str, model: ir.Model) -> str:
    names = {value.name for value in model.graph.inputs}
    return tensor_name if tensor_name in names else tensor_name.removesuffix(":0")


def _embed_captures(model: ir.Model, function: Any, names: list[str]) -> None:
    captures = [tensor for tensor in function.captured_inputs if tensor.dtype.name != "resource"]
    for name, tensor in zip(names, captures, strict=True):
        value = next((v for v in model.graph.inputs if v.name == name), None)
        if value is not None:
            value.const_value = ir.tensor(tensor.numpy(), name=name)
            model.graph.inputs.remove(value)
            model.graph.register_initializer(value)
