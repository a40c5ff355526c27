"""Quantized forms of a bundle, by ONNX Runtime's quantizer: static int8 in QDQ form, and dynamic int8."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir

from assay.conformance.data import Dataset, take
from assay.conformance.exchange import Mapped, read_arrays, write_arrays
from assay.conformance.isolation import Worker
from assay.converters.bundle import Bundle, write_bundle
from assay.converters.files import read_model
from assay.specs.errors import AssayError

STATIC, DYNAMIC = "static-int8", "dynamic-int8"
# what gains from int8 kernels; normalizations, activations and recurrences keep their precision
_STATIC_OPERATORS = ["Conv", "Gemm", "MatMul"]
_DYNAMIC_OPERATORS = ["Gemm", "MatMul"]
_CALIBRATION_BATCH = 8


class QuantizationError(AssayError):
    """A model that the quantizer refuses."""


def quantize_bundle(bundle: Bundle, output: Path, method: str, calibration: Dataset | None, worker: Worker) -> Bundle:
    """Quantize in the worker and write a bundle; raises `QuantizationError`, `WorkerDied` or `WorkerTimedOut`."""
    with tempfile.TemporaryDirectory(dir=worker.folder, ignore_cleanup_errors=True) as folder:
        quantized = Path(folder) / "quantized.onnx"
        if method == STATIC:
            if calibration is None:
                raise QuantizationError(f"{STATIC} needs calibration data")
            batches = _batches(bundle, calibration, Path(folder))
            worker.call(quantize_static_file, bundle.model.resolve(), quantized, batches)
        else:
            worker.call(quantize_dynamic_file, bundle.model.resolve(), quantized)
        model = read_model(quantized)
        _require_quantized(model, method)
        _restore(model, bundle, method)
        return write_bundle(model, bundle.interface, output)


def quantize_static_file(model: Path, output: Path, batches: list[dict[str, Mapped]]) -> None:
    """Calibrate by the smallest and largest values, then insert QuantizeLinear and DequantizeLinear."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    def run(prepared: Path) -> None:
        quantize_static(
            prepared,
            output,
            _reader(batches),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=_STATIC_OPERATORS,
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
        )

    _prepared(model, output.parent, run)


def quantize_dynamic_file(model: Path, output: Path) -> None:
    """Weights to int8, activations at run time."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    _prepared(
        model,
        output.parent,
        lambda prepared: quantize_dynamic(
            prepared, output, op_types_to_quantize=_DYNAMIC_OPERATORS, per_channel=True, weight_type=QuantType.QInt8
        ),
    )


def _prepared(model: Path, beside: Path, run: Any) -> None:
    """Run the quantizer on the model after its shape inference, which it needs for the ranges of activations."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory(dir=beside) as folder:
        prepared = Path(folder) / "prepared.onnx"
        try:
            quant_pre_process(model, prepared, skip_symbolic_shape=True, skip_optimization=True)
            run(prepared)
        except Exception as error:  # noqa: BLE001 - the quantizer raises many kinds
            raise QuantizationError(f"the quantizer refuses {model.name}: {type(error).__name__}: {error}") from None


def _batches(bundle: Bundle, calibration: Dataset, folder: Path) -> list[dict[str, Mapped]]:
    starts = range(0, calibration.size, _CALIBRATION_BATCH)
    batches = (take(bundle.interface, calibration.inputs, start, start + _CALIBRATION_BATCH) for start in starts)
    return [write_arrays(batch, folder / str(index)) for index, batch in enumerate(batches)]


def _reader(batches: list[dict[str, Mapped]]) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.batches: Iterator[Mapping[str, np.ndarray]] = map(read_arrays, batches)

        def get_next(self) -> Mapping[str, np.ndarray] | None:
            return next(self.batches, None)

    return Reader()


def _require_quantized(model: ir.Model, method: str) -> None:
    """The quantizer gives back a model that has nothing for it as it was, without a word."""
    if not any("Quantize" in node.op_type or node.op_type.endswith("Integer") for node in model.graph.all_nodes()):
        operators = _STATIC_OPERATORS if method == STATIC else _DYNAMIC_OPERATORS
        raise QuantizationError(
            f"the model holds nothing that {method} quantizes: {', '.join(operators)} with constant weights"
        )


def _restore(model: ir.Model, bundle: Bundle, method: str) -> None:
    """What the quantizer drops or adds: metadata, the producer, shapes of outputs, domains that nothing uses."""
    original = read_model(bundle.model)
    model.metadata_props.clear()
    model.metadata_props.update({**original.metadata_props, "assay.precision": method})
    model.producer_name, model.producer_version = "assay", None
    model.graph.name = original.graph.name
    used = {node.domain for node in model.graph.all_nodes()} | {""}
    for domain in [domain for domain in model.opset_imports if domain not in used]:
        del model.opset_imports[domain]
    for value, was in zip(model.graph.outputs, original.graph.outputs, strict=True):
        value.shape = was.shape
