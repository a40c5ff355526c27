"""Shape inference in a process of its own: its end is an error, and the next model finds a new process."""

from __future__ import annotations

import os

import onnx
import pytest
from lint_models import parse

from assay.conformance.lint import inference_process
from assay.conformance.lint.inference_process import InferenceFailedError, infer_shapes

RELU = parse("g (float[batch,3] x) => (float y) { y = Relu(x) }").SerializeToString()
HANG = [f"F{i} (x) => (y) {{ a = f.F{i + 1}(x) y = f.F{i + 1}(a) }}" for i in range(40)]


def test_a_shape_is_inferred() -> None:
    assert len(onnx.GraphProto.FromString(infer_shapes(RELU)).input) == 1


def test_bytes_that_are_no_model_are_an_error_and_the_process_lives_on() -> None:
    process = inference_process._started(os.getpid())
    with pytest.raises(InferenceFailedError):
        infer_shapes(b"\xff" * 9)
    infer_shapes(RELU)
    assert inference_process._started(os.getpid()) is process


def test_a_process_that_died_is_an_error_and_is_replaced() -> None:
    process = inference_process._started(os.getpid())
    process.process.terminate()
    process.process.wait()
    with pytest.raises(InferenceFailedError, match="crashed with status -15"):
        infer_shapes(RELU)
    infer_shapes(RELU)


def test_a_process_that_takes_too_long_is_an_error_and_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference_process, "_SECONDS", 0.2)
    heads = '<ir_version: 9, opset_import: ["" : 18, "f" : 1]> g (float[2] x) => (float[2] y) { y = f.F0(x) }'
    bodies = [
        f'<domain: "f", opset_import: ["" : 18, "f" : 1]> {body}' for body in (*HANG, "F40 (x) => (y) { y = Relu(x) }")
    ]
    with pytest.raises(InferenceFailedError, match=r"came to no end within 0\.2"):
        infer_shapes(onnx.parser.parse_model("\n".join([heads, *bodies])).SerializeToString())
    monkeypatch.undo()
    infer_shapes(RELU)
