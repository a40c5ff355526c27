"""Other ways from a Keras model to ONNX: tf2onnx's own entry point for Keras, and Keras's ``model.export``."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import onnx_ir as ir
from outcomes import Unjudgeable

from assay.converters.exporter import ConvertError, Exported
from assay.specs.errors import brief


def _from_keras(model: Any, opset: int | None) -> ir.Model:
    import tf2onnx

    proto, _ = tf2onnx.convert.from_keras(model, opset=opset or 18)
    made: ir.Model = ir.from_proto(proto)
    return made


def _model_export(model: Any, opset: int | None) -> ir.Model:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        model.export(path, format="onnx", verbose=False, opset_version=opset)
        loaded: ir.Model = ir.from_proto(ir.to_proto(ir.load(path)))
        return loaded


OUTSIDE: Mapping[str, Callable[[Any, int | None], ir.Model]] = {
    "tf2onnx.from_keras": _from_keras,
    "model.export": _model_export,
}


def exporter(name: str) -> Callable[[Any, int | None], Exported]:
    """One of these as the benchmark calls its exporters; what is no Keras model can't be judged by it."""

    def export(source: Any, opset: int | None) -> Exported:
        logging.getLogger("tf2onnx").setLevel(logging.ERROR)
        if source.kind != "keras":
            raise Unjudgeable(f"{source.name}: is no Keras model")
        try:
            model = OUTSIDE[name](source.owner, opset)
        except Exception as error:
            raise ConvertError(source.name, f"{type(error).__name__}: {brief(error)}") from error
        _order(model, source)
        inputs = tuple(str(value.name) for value in model.graph.inputs)
        return Exported(model, inputs[: len(source.inputs)], name)

    return export


def _order(model: ir.Model, source: Any) -> None:
    """The outputs of a dict come in the order of its sorted keys; here, in that of the source."""
    outputs, names = source.owner.output, list(source.output_names)
    if isinstance(outputs, dict) and set(outputs) == set(names):
        found = dict(zip(sorted(outputs), list(model.graph.outputs), strict=True))
        model.graph.outputs[:] = [found[name] for name in names]
