"""An ONNX model as a source: run by ONNX Runtime on the CPU without graph optimization."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_ir as ir
from google.protobuf.message import EncodeError

from assay.converters.constants import floating_constants
from assay.converters.files import model_path, read_model, sha256
from assay.converters.interface_json import read_interface
from assay.converters.sources.base import (
    ExactTwin,
    Feeds,
    Outputs,
    Request,
    Runnable,
    Source,
    SourceError,
    resolve_inputs,
)
from assay.converters.sources.onnx_float64 import NoFloat64, to_float64
from assay.converters.sources.onnx_shaking import shaken_model, wavering_model, with_moved_weights
from assay.specs.errors import brief
from assay.specs.interface import Axis, TensorSpec

if TYPE_CHECKING:
    import onnx


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

    def exact(self) -> ExactTwin | None:
        try:
            model, kept = to_float64(self.proto())
            return _Exact(self, _session(model.SerializeToString(), "the model in float64"), kept)
        except (NoFloat64, SourceError, ValueError, EncodeError):  # the last two: what protobuf can't hold
            return None

    def perturbed(self, seed: int) -> Runnable | None:
        model, moved = with_moved_weights(self.proto(), seed, 1)
        return _Twin(self, _session(model.SerializeToString(), "the perturbed model")) if moved else None

    def shaken(self, seed: int) -> Runnable | None:
        model = shaken_model(self.proto(), seed)
        return _Twin(self, _session(model.SerializeToString(), "the shaken model"))

    def wavering(self, seed: int) -> Runnable | None:
        model = wavering_model(self.proto(), seed)
        return _Twin(self, _session(model.SerializeToString(), "the wavering model"))

    def weights(self) -> Iterator[tuple[str, np.ndarray]]:
        return floating_constants(self.path)

    def proto(self) -> onnx.ModelProto:
        """The model with its weights."""
        import onnx

        return onnx.load(self.path)

    def _run(self, session: Any, feeds: Feeds) -> Outputs:
        names = [output.name for output in session.get_outputs()]
        values = session.run(names, {spec.name: feeds[spec.name] for spec in self.inputs})
        return self.name_outputs(list(zip(names, map(np.asarray, values), strict=True)))


@dataclasses.dataclass(frozen=True)
class _Twin:
    source: OnnxSource
    session: Any

    def run(self, feeds: Feeds) -> Outputs:
        return self.source._run(self.session, feeds)


@dataclasses.dataclass(frozen=True)
class _Exact:
    source: OnnxSource
    session: Any
    kept: tuple[str, ...]

    def run(self, feeds: Feeds) -> Outputs:
        return self.source._run(self.session, {name: _doubled(array) for name, array in feeds.items()})


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


def _session(model: str | bytes, what: str = "") -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        name = model if isinstance(model, str) else what
        raise SourceError(name, f"can't be loaded by ONNX Runtime: {brief(error)}") from error


def _doubled(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float64) if array.dtype.kind == "f" or array.dtype.name == "bfloat16" else array
