"""Weights that stay in the model's file until they are asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from onnx import TensorProto, helper, numpy_helper

from assay.conformance.lint.weight_statistics import Weight
from assay.converters import stored_weights
from assay.converters.files import UnreadableError
from assay.converters.stored_weights import StoredTensor, read_with_stored_weights

LARGE = np.arange(300_000, dtype=np.float32).reshape(300, 1000)
SMALL = np.ones(3, np.float32)


def written(folder: Path, *tensors: TensorProto, constant: TensorProto | None = None) -> Path:
    nodes = [helper.make_node("Constant", [], ["c"], value=constant)] if constant else []
    graph = helper.make_graph(nodes, "g", [], [], list(tensors))
    path = folder / "model.onnx"
    path.write_bytes(helper.make_model(graph).SerializeToString())
    return path


def test_large_raw_data_stay_in_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, numpy_helper.from_array(SMALL, "small"), numpy_helper.from_array(LARGE, "large"))
    proto, model = read_with_stored_weights(path)
    assert proto.ByteSize() < 1000
    small, large = (model.graph.initializers[name].const_value for name in ("small", "large"))
    assert isinstance(large, StoredTensor)
    assert not isinstance(small, StoredTensor)
    assert small is not None
    np.testing.assert_array_equal(large.numpy(), LARGE)
    np.testing.assert_array_equal(small.numpy(), SMALL)


def test_a_large_constant_stays_in_the_file(tmp_path: Path) -> None:
    _, model = read_with_stored_weights(written(tmp_path, constant=numpy_helper.from_array(LARGE, "c")))
    tensor = model.graph.node(0).attributes["value"].as_tensor()
    assert isinstance(tensor, StoredTensor)
    np.testing.assert_array_equal(tensor.numpy(), LARGE)


def test_the_rest_of_the_model_is_as_it_was(tmp_path: Path) -> None:
    path = written(tmp_path, numpy_helper.from_array(LARGE, "large"), numpy_helper.from_array(SMALL, "small"))
    proto, _ = read_with_stored_weights(path)
    whole = onnx.load(path)
    for model in (proto, whole):
        for field in ("raw_data", "external_data", "data_location"):
            model.graph.initializer[0].ClearField(field)
    assert proto == whole


@pytest.mark.parametrize("field", ["float_data", "external_data"])
def test_other_large_tensors_are_read_as_they_are(field: str, tmp_path: Path) -> None:
    tensor = TensorProto(name="w", data_type=1, dims=LARGE.shape)
    if field == "float_data":
        tensor.float_data.extend(LARGE.ravel())
    else:
        tensor.raw_data, tensor.data_location = LARGE.tobytes(), TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="data.bin")
    _, model = read_with_stored_weights(written(tmp_path, tensor))
    assert not isinstance(model.graph.initializers["w"].const_value, StoredTensor)


def test_much_that_is_no_raw_data_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_weights, "_LARGEST_REST", 1 << 20)
    tensor = TensorProto(name="w", data_type=1, dims=LARGE.shape, float_data=LARGE.ravel())
    with pytest.raises(UnreadableError, match="besides its raw weights"):
        read_with_stored_weights(written(tmp_path, tensor))


@pytest.mark.parametrize("dtype", [ir.DataType.INT4, ir.DataType.UINT4])
def test_narrow_elements_are_read_from_any_position(dtype: ir.DataType, tmp_path: Path) -> None:
    packed = np.random.default_rng(0).integers(0, 256, 1 << 21, np.uint8)
    tensor = TensorProto(name="w", data_type=dtype, dims=[1 << 22], raw_data=packed.tobytes())
    path = written(tmp_path, tensor)
    stored = read_with_stored_weights(path)[1].graph.initializers["w"].const_value
    assert isinstance(stored, StoredTensor)
    weight, whole = Weight(ir.Value(name="w"), stored, path), stored.numpy()
    for start, count in ((0, 7), (5, 8), (1001, 1), ((1 << 22) - 3, 99)):
        np.testing.assert_array_equal(weight.read(start, count), whole[start : start + count])
