"""What runs inside a worker, run here: sessions, what they say of a model, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import parser

from assay.conformance.exchange import read_arrays, write_arrays
from assay.conformance.providers.runtime import (
    RuntimeRefused,
    SessionKey,
    describe_session,
    run_session,
)

HEAD = '<ir_version: 8, opset_import: ["" : 17]>'
TWO = "g (float[n,2] x, int64[2] k) => (float[n,2] y, double[n,2] z) { y = Relu(x)  z = Cast<to = 11>(x) }"


def key(graph: str, folder: Path) -> SessionKey:
    (folder / "m.onnx").write_bytes(parser.parse_model(f"{HEAD} {graph}").SerializeToString())
    return SessionKey(folder / "m.onnx")


def test_a_session_says_names_dtypes_shapes_and_placement(tmp_path: Path) -> None:
    facts = describe_session(key(TWO, tmp_path))
    assert facts.inputs == (("x", "float32", ("n", 2)), ("k", "int64", (2,)))
    assert facts.outputs == (("y", "float32", ("n", 2)), ("z", "float64", ("n", 2)))
    assert facts.providers == ("CPUExecutionProvider",)
    assert facts.placement == {"CPUExecutionProvider": 2}


def test_a_run_gives_every_output_by_name(tmp_path: Path) -> None:
    x = np.array([[-1, 2]], np.float32)
    feeds = write_arrays({"x": x, "k": np.zeros(2, np.int64), "not an input": x}, tmp_path / "in")
    outputs = read_arrays(run_session(key(TWO, tmp_path), feeds, tmp_path / "out"))
    assert outputs["y"].tolist() == [[0, 2]]
    assert outputs["z"].dtype == np.float64
    assert outputs["z"].tolist() == [[-1, 2]]


def test_strings_go_in_and_come_out(tmp_path: Path) -> None:
    session = key("g (string[n] words) => (string[n] same) { same = Identity(words) }", tmp_path)
    feeds = write_arrays({"words": np.array(["", "naïve"])}, tmp_path / "in")
    assert read_arrays(run_session(session, feeds, tmp_path / "out"))["same"].tolist() == ["", "naïve"]


@pytest.mark.parametrize(
    ("graph", "says"),
    [
        ("g (float[2] x) => (float[2] y) { y = NoSuchOperator(x) }", "NoSuchOperator"),
        ("g (float[2] x) => (float[3] y) <float[3] w = {1,2,3}> { y = Add(x, w) }", "(?i)incompatible|mismatch"),
    ],
    ids=["an unknown operator", "shapes that contradict each other"],
)
def test_a_model_that_does_not_load_is_refused_in_one_line(graph: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(RuntimeRefused, match=says) as refused:
        describe_session(key(graph, tmp_path))
    assert "\n" not in str(refused.value)
    assert not str(refused.value).startswith("[ONNXRuntimeError]")


def test_a_run_that_fails_is_refused_in_one_line(tmp_path: Path) -> None:
    feeds = write_arrays({"x": np.zeros((1, 3), np.float32), "k": np.zeros(2, np.int64)}, tmp_path / "in")
    with pytest.raises(RuntimeRefused, match="invalid dimensions") as refused:
        run_session(key(TWO, tmp_path), feeds, tmp_path / "out")
    assert "\n" not in str(refused.value)


def test_an_output_that_is_no_tensor_is_refused(tmp_path: Path) -> None:
    session = key("g (float[2] x) => (seq(float[2]) y) { y = SequenceConstruct(x, x) }", tmp_path)
    feeds = write_arrays({"x": np.zeros(2, np.float32)}, tmp_path / "in")
    with pytest.raises(RuntimeRefused, match="output y is a list, but should be a tensor"):
        run_session(session, feeds, tmp_path / "out")
