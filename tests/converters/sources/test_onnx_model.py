"""An ONNX model as a source: a file, or a bundle with what its interface adds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from judging import Faithful, described
from onnx import parser

from assay import AssayError, convert
from assay.converters.sources import open_source

LINEAR = """
<ir_version: 8, opset_import: ["" : 17]>
g (float[batch,6] x, float[batch,6] unused) => (float[batch,2] y, float[batch,6] same)
<float[6,2] weight = {1,2,3,4,5,6,7,8,9,10,11,12}> {
    y = MatMul(x, weight)
    same = Identity(x)
}"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    onnx.save(parser.parse_model(LINEAR), tmp_path / "linear.onnx")
    return tmp_path / "linear.onnx"


def test_a_file_says_its_own_interface(path: Path, faithful: Faithful) -> None:
    bundle = faithful(path)
    assert described(bundle) == (
        {"x": "float32[batch,6]", "unused": "float32[batch,6]"},
        {"y": "float32[batch,2]", "same": "float32[batch,6]"},
    )


def test_a_bundle_brings_its_ranges(path: Path, tmp_path: Path, faithful: Faithful) -> None:
    first = convert(path, tmp_path / "first", inputs={"x": "float32[batch,6] in 0..1"})
    assert described(faithful(first))[0]["x"] == "float32[batch,6] in 0..1"


def test_another_opset_is_written_where_it_is_asked_for(path: Path, faithful: Faithful) -> None:
    model = onnx.load(faithful(path, opset=20).model)
    assert [entry.version for entry in model.opset_import if not entry.domain] == [20]


def test_a_weight_that_is_an_input_too_is_not_asked_for(path: Path, faithful: Faithful) -> None:
    model = onnx.load(path)
    model.graph.input.append(onnx.helper.make_tensor_value_info("weight", onnx.TensorProto.FLOAT, [6, 2]))
    onnx.save(model, path)
    assert list(described(faithful(path))[0]) == ["x", "unused"]


def test_external_data_comes_along(path: Path, faithful: Faithful) -> None:
    model = onnx.load(path)
    weight = np.arange(12, dtype=np.float32).reshape(6, 2)
    model.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(weight, "weight"))
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert (path.parent / "weights.bin").is_file()
    assert [file.name for file in faithful(path).files] == ["interface.json", "model.onnx"]


def test_a_twin_moves_each_weight_by_one_ulp(path: Path) -> None:
    source = open_source(path)
    feeds = {"x": np.eye(6, dtype=np.float32), "unused": np.ones((6, 6), np.float32)}
    twin = source.perturbed(0)
    assert twin is not None
    weight, moved = source.run(feeds)["y"], twin.run(feeds)["y"]
    assert np.all((moved == np.nextafter(weight, np.inf)) | (moved == np.nextafter(weight, -np.inf)))


@pytest.mark.parametrize(
    ("graph", "says"),
    [
        ("g (float[2] x) => (float[2] y) { y = NoSuchOperator(x) }", "can't be loaded by ONNX Runtime"),
        ("g (float[2] x) => (float[2] y) { y = Add(x, z) }", r"wrong\.onnx "),
    ],
    ids=["an unknown operator", "a value from nowhere"],
)
def test_a_model_that_no_runtime_loads_is_refused(graph: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.onnx"
    path.write_bytes(parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> {graph}').SerializeToString())
    with pytest.raises(AssayError, match=says):
        open_source(path).run({"x": np.ones(2, np.float32)})
