"""Converts a TensorFlow function by Assay's own handlers, and compares what both give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir
import onnxruntime
import tensorflow as tf

from assay.converters.passes.context import PassContext
from assay.converters.passes.remove_unused_nodes import remove_unused_nodes
from assay.converters.sources import open_source
from assay.converters.tensorflow.native_exporter import export
from assay.specs.interface import Interface


@dataclass(frozen=True)
class Converted:
    """A converted function: its ONNX model and its source."""

    model: ir.Model
    source: Any
    session: onnxruntime.InferenceSession

    @property
    def operators(self) -> Counter[str]:
        """How often each operator stands in the main graph."""
        return Counter(node.op_type for node in self.model.graph)

    def run(self, *arrays: Any) -> list[np.ndarray]:
        """What the ONNX model gives."""
        names = [value.name for value in self.session.get_inputs()]
        found: list[np.ndarray] = self.session.run(None, dict(zip(names, arrays, strict=True)))
        return found

    def assert_agrees(self, *arrays: Any, ulps: float = 16.0) -> None:
        """Names, dtypes, shapes and values are the source's, floats up to some units of the largest's last place."""
        specs = [spec.name for spec in self.source.inputs]
        expected = list(self.source.run(dict(zip(specs, arrays, strict=True))).values())
        found = self.run(*arrays)
        assert len(found) == len(expected)
        for got, due in zip(found, expected, strict=True):
            assert (got.shape, got.dtype.name) == (due.shape, due.dtype.name)
            assert_close(got, due, ulps)


def assert_close(got: np.ndarray, due: np.ndarray, ulps: float) -> None:
    """Equal where they are no floats; else non-finite values at the same places, and a small distance elsewhere."""
    if due.dtype.kind not in "f":
        np.testing.assert_array_equal(got, due)
        return
    finite = np.isfinite(due)
    np.testing.assert_array_equal(got[~finite], due[~finite])
    scale = float(np.abs(due[finite]).max(initial=0.0))
    largest = float(np.abs(got[finite].astype(np.float64) - due[finite]).max(initial=0.0))
    assert largest <= ulps * np.finfo(due.dtype).eps * max(scale, 1e-30), (largest, scale)


def converted(function: Callable[..., Any], *specs: Any, opset: int | None = None, model: Any = None) -> Converted:
    """Convert a function of tensors by their ``tf.TensorSpec``, or a model."""
    if model is None:
        signature = [spec if isinstance(spec, tf.TensorSpec) else tf.TensorSpec(*spec) for spec in specs]
        model = tf.function(function, input_signature=signature, autograph=False)
    source = open_source(model)
    exported = export(source, opset)
    remove_unused_nodes(exported.model, PassContext("test", Interface(()), exported.inputs, {}, {}))
    data = ir.to_proto(exported.model).SerializeToString()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return Converted(exported.model, source, onnxruntime.InferenceSession(data, options, ["CPUExecutionProvider"]))


def random(*shape: int, seed: int = 0, dtype: str = "float32") -> np.ndarray:
    """Normal numbers."""
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def float_specs(*shapes: Sequence[int | None]) -> list[tf.TensorSpec]:
    """Specifications of float32 tensors, None for dynamic axes."""
    return [tf.TensorSpec(list(shape), tf.float32, name=f"x{index}") for index, shape in enumerate(shapes)]
