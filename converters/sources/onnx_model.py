"""An ONNX model as a source: run by ONNX Runtime on the CPU without graph optimization."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir

from assay.converters.files import model_path, read_model, sha256
from assay.converters.interface_json import read_interface
from assay.converters.sources.base import Feeds, Outputs, Request, Runnable, Source, SourceError, resolve_inputs
from assay.specs.errors import brief
from assay.specs.interface import Axis, TensorSpec


class OnnxSource(Source):
    """An ``.onnx`` file or a bundle; where the bundle has an interface, its ranges and roles come along."""

    framework = "onnx"
    kind = "onnx"

    def __init__(self, path: Path, request: Request) -> None:
        self.path = model_path(path)
        self.model = read_model(self.path)
        interface = read_interface(self.path)
        own = interface.inputs if interface else tuple(map(spec_of, graph_inputs(self.model)))
        super().__init__(request, resolve_inputs(request.name, own, request.inputs, request.hints))
        self._session: Any = None

    def run(self, feeds: Feeds) -> Outputs:
        if self._session is None:
            self._session = _session(str(self.path))
        return self._run(self._session, feeds)

    def sha256(self) -> str:
        return sha256(self.path)

    def perturbed(self, seed: int) -> Runnable | None:
        model = ir.from_proto(ir.to_proto(read_model(self.path)))
        ir.external_data.set_base_dir(model.graph, self.path.parent)
        generator = np.random.default_rng(seed)
        weights = [
            v for v in model.graph.initializers.values() if v.dtype == ir.DataType.FLOAT and v.const_value is not None
        ]
        for value in weights:
            moved = _move_one_ulp(value.const_value.numpy(), generator)  # type: ignore[union-attr]
            value.const_value = ir.tensor(moved, name=value.name)
        return _Perturbed(self, _session(ir.to_proto(model).SerializeToString())) if weights else None

    def _run(self, session: Any, feeds: Feeds) -> Outputs:
        names = [output.name for output in session.get_outputs()]
        values = session.run(names, {spec.name: feeds[spec.name] for spec in self.inputs})
        return self.name_outputs(list(zip(names, map(np.asarray, values), strict=True)))


@dataclasses.dataclass(frozen=True)
class _Perturbed:
    source: OnnxSource
    session: Any

    def run(self, feeds: Feeds) -> Outputs:
        return self.source._run(self.session, feeds)


def open_file(path: Path, request: Request) -> OnnxSource:
    """The source of an ``.onnx`` file or a bundle."""
    return OnnxSource(path, request)


def graph_inputs(model: ir.Model) -> list[ir.Value]:
    """The inputs that a caller has to give: those without an initializer."""
    return [value for value in model.graph.inputs if value.name not in model.graph.initializers]


def spec_of(value: ir.Value) -> TensorSpec:
    """The specification of a graph input or output; an axis without a name takes one from its place."""
    dtype = "string" if value.dtype == ir.DataType.STRING else value.dtype.numpy().name if value.dtype else "float32"
    if value.shape is None:
        return TensorSpec(value.name or "", dtype)
    dims = tuple(
        dim if isinstance(dim, int) else Axis(dim.value or f"{value.name}_{index}")
        for index, dim in enumerate(value.shape)
    )
    return TensorSpec(value.name or "", dtype, dims)


def _session(model: str | bytes) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        name = model if isinstance(model, str) else "the perturbed model"
        raise SourceError(name, f"can't be loaded by ONNX Runtime: {brief(error)}") from error


def _move_one_ulp(array: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    towards = np.where(generator.random(array.shape) < 0.5, np.float32(np.inf), np.float32(-np.inf))
    moved: np.ndarray = np.nextafter(array, towards.astype(array.dtype))
    return moved
