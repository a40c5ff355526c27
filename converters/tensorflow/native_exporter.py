"""TensorFlow to ONNX by Assay's own handlers, one an operator; what has none, or can't be said, ends the conversion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import onnx_ir as ir
import tensorflow as tf

from assay.converters.exporter import ConvertError, Exported
from assay.converters.sources.base import Source
from assay.converters.sources.tf_function import TensorFlowSource
from assay.converters.tensorflow.conversion import Conversion, Refusal
from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.gelu import write_gelu
from assay.converters.tensorflow.operation import onnx_dtype
from assay.converters.tensorflow.tensor import Tensor, constant, merged

NAME = "assay.tensorflow"
OLDEST_OPSET, DEFAULT_OPSET, NEWEST_OPSET = 17, 20, 28
_TOLD = 20
_ML_OPSET = 3
_IR_VERSIONS = {17: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11, 24: 12, 25: 13, 26: 13, 27: 13, 28: 14}


class UnconvertibleError(ConvertError):
    """Every operation that was refused."""

    def __init__(self, source: str, refusals: list[Refusal]) -> None:
        told = [str(refusal) for refusal in refusals[:_TOLD]]
        more = [f"and {len(refusals) - _TOLD} more"] if len(refusals) > _TOLD else []
        super().__init__(source, "; ".join([*told, *more]))
        self.refusals = refusals


def export(source: Source, opset: int | None) -> Exported:
    """Convert the source's flat function; raises `ConvertError`."""
    assert isinstance(source, TensorFlowSource)
    chosen = require_opset(source.name, opset)
    emitter = Emitter(chosen)
    conversion = Conversion(emitter, labels(source.function))
    inputs, found = write(source, conversion)
    if conversion.refusals:
        raise UnconvertibleError(source.name, conversion.refusals)
    outputs = _outputs(emitter, [tensor for tensor in found if tensor is not None], source.output_names)
    graph = ir.Graph(
        inputs,
        outputs,
        nodes=emitter.main,
        initializers=list(emitter.initializers.values()),
        opset_imports={"": chosen, "ai.onnx.ml": _ML_OPSET},  # what is not used is removed
        name="model",
    )
    model = ir.Model(graph, ir_version=_IR_VERSIONS[chosen], producer_name="assay")
    write_gelu(model)
    return Exported(model, tuple(str(value.name) for value in inputs), NAME)


def require_opset(source: str, opset: int | None) -> int:
    """The opset to write; raises `ConvertError` for one that is not known here."""
    chosen = opset or DEFAULT_OPSET
    if not OLDEST_OPSET <= chosen <= NEWEST_OPSET:
        due = f"but should be {OLDEST_OPSET} to {NEWEST_OPSET}"
        raise ConvertError(source, f"opset {chosen} was asked for, {due} for the exporter {NAME}")
    return chosen


def write(source: TensorFlowSource, conversion: Conversion) -> tuple[list[ir.Value], list[Tensor | None]]:
    """Write the source's function; the graph's inputs, and its outputs, None for one that hangs on a refusal."""
    function = source.function
    _require_real(source.name, [*function.inputs, *function.outputs])
    inputs, arguments = _arguments(conversion.emitter, function)
    return inputs, conversion.convert(function.graph, arguments)


def _require_real(source: str, tensors: Sequence[Any]) -> None:
    """Complex numbers are pairs inside the graph, and have no form at its border."""
    for tensor in tensors:
        if tensor.dtype.is_complex:
            reason = f"{tensor.name} is {tensor.dtype.name}, but should be real: return its real and imaginary parts"
            raise ConvertError(source, reason)


def labels(function: Any) -> Mapping[int, str]:
    """The names of variables by the identity of the handles that the function captured."""
    captured = [tensor for tensor in function.captured_inputs if tensor.dtype == tf.resource]
    named = [(variable.handle, getattr(variable, "path", None) or variable.name) for variable in function.variables]
    return {id(c): name.removesuffix(":0") for c in captured for handle, name in named if handle is c}


def _arguments(emitter: Emitter, function: Any) -> tuple[list[ir.Value], list[Tensor]]:
    """The graph's inputs, and a tensor for each of them and for each capture."""
    count = len(function.inputs) - len(function.captured_inputs)
    values, tensors = [], []
    for place in function.inputs[:count]:
        shape = merged(None, None if place.shape.rank is None else tuple(place.shape))
        name = emitter.unique(place.op.name)
        value = ir.Value(name=name, type=ir.TensorType(onnx_dtype(place.dtype.name)), shape=_onnx_shape(shape))
        values.append(value)
        tensors.append(emitter.tensor(value, place.dtype.name, shape))
    for capture in function.captured_inputs:
        if capture.dtype in (tf.resource, tf.variant):
            tensors.append(Tensor(capture.dtype.name, (), resource=capture))
        else:
            tensors.append(constant(capture.numpy(), capture.dtype.name))
    return values, tensors


def _onnx_shape(shape: tuple[Any, ...] | None) -> ir.Shape | None:
    return None if shape is None else ir.Shape([dim if isinstance(dim, int) else repr(dim) for dim in shape])


def _outputs(emitter: Emitter, tensors: list[Tensor], names: list[str]) -> list[ir.Value]:
    """Each output is a value of a node of its own, though it be an input, a constant, or given twice."""
    values = []
    for tensor, name in zip(tensors, names, strict=True):
        with emitter.named(name):
            value = emitter.logical(tensor)
            producer = value.producer()
            if producer is None or value in values or producer not in emitter.main:
                value = emitter.node("Identity", [value])
        value.type, value.shape = ir.TensorType(onnx_dtype(tensor.dtype)), _onnx_shape(tensor.shape)
        values.append(value)
    return values
