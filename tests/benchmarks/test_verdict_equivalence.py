"""The test by which the verdict benchmark tells mutants that are equal to the healthy model from those that are not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import pytest
from verdicts.equivalence import EQUAL, Comparison, _compared, contract, make_yardstick
from verdicts.graph import Graph, set_attribute
from verdicts.inputs import COUNT, make_inputs
from verdicts.runtime import run_all

from assay.conformance.isolation import Worker
from assay.specs.interface import Interface, parse_specs

TEXT = """
<ir_version: 9, opset_import: ["" : 20]>
g (float[batch,2,height,width] x) => (float[batch,2,h,w] y)
<float[4] scales = {1,1,2,2}, float[1,2,1,1] factor = {3,5}> {
    scaled = Mul(x, factor)
    y = Resize<mode = "linear", coordinate_transformation_mode = "half_pixel">(scaled, , scales)
}"""
INTERFACE = Interface(parse_specs({"x": "float32[batch,2,height>=3=6,width>=3=7]"}))


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker(60.0) as opened:
        yield opened


def compared(worker: Worker, folder: Path, mutant: onnx.ModelProto) -> Comparison:
    healthy = onnx.parser.parse_model(TEXT)
    path = folder / "healthy.onnx"
    onnx.save(healthy, path)
    inputs = make_inputs(INTERFACE, {"batch": 2, "height": 6, "width": 7})
    yardstick = make_yardstick(worker, str(path), healthy, inputs, str(folder))
    onnx.save(mutant, folder / "mutant.onnx")
    return yardstick.compare(run_all(worker, str(folder / "mutant.onnx"), yardstick.jobs()))


def with_mode(mode: str) -> onnx.ModelProto:
    graph = Graph(onnx.parser.parse_model(TEXT))
    set_attribute(graph.nodes[1], "coordinate_transformation_mode", mode)
    return graph.model


def test_pytorch_half_pixel_is_equal_where_no_axis_is_one(worker: Worker, tmp_path: Path) -> None:
    assert compared(worker, tmp_path, with_mode("pytorch_half_pixel")).within(EQUAL)


def test_asymmetric_is_not_equal(worker: Worker, tmp_path: Path) -> None:
    found = compared(worker, tmp_path, with_mode("asymmetric"))
    assert found.reason is None
    assert found.excess > 1000


def test_a_model_that_does_not_load_is_not_equal(worker: Worker, tmp_path: Path) -> None:
    graph = Graph(onnx.parser.parse_model(TEXT))
    graph.nodes[1].op_type = "ResizeX"
    found = compared(worker, tmp_path, graph.model)
    assert not found.within(EQUAL)
    assert "not loaded" in str(found.reason)


def test_a_weight_in_a_thousandth_more_is_not_equal(worker: Worker, tmp_path: Path) -> None:
    graph = Graph(onnx.parser.parse_model(TEXT))
    graph.set_constant("factor", np.array([3.003, 5], np.float32).reshape(1, 2, 1, 1))
    assert not compared(worker, tmp_path, graph.model).within(EQUAL)


def test_the_contract_has_names_dtypes_shapes_and_metadata() -> None:
    model = onnx.parser.parse_model(TEXT)
    before = contract(model)
    model.metadata_props.add(key="a", value="b")
    assert contract(model) != before
    model = onnx.parser.parse_model(TEXT)
    model.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 2
    assert contract(model) != before


def test_inputs_are_many_differ_in_size_and_are_the_same_every_time() -> None:
    sizes = {"batch": 2, "height": 6, "width": 7}
    inputs = make_inputs(INTERFACE, sizes)
    assert len(inputs) == COUNT >= 40
    assert len({feeds["x"].shape for feeds in inputs}) > 10
    for first, second in zip(inputs, make_inputs(INTERFACE, sizes), strict=True):
        np.testing.assert_array_equal(first["x"], second["x"])


def test_no_mask_hides_a_whole_row_and_ranges_hold() -> None:
    specs = {"attention_mask": "int64[batch,n=5] in 0..1", "ids": "int64[batch,n=5] in 3..7", "days": "int64[batch]"}
    inputs = make_inputs(Interface(parse_specs(specs)), {"batch": 2, "n": 5})
    assert all(feeds["attention_mask"].any(axis=1).all() for feeds in inputs)
    assert any((feeds["attention_mask"][:, 0] == 0).any() for feeds in inputs)
    assert {int(v) for feeds in inputs for v in feeds["ids"].flat} == {3, 4, 5, 6, 7}
    assert any((feeds["days"] < 0).any() for feeds in inputs)


def test_whole_numbers_may_turn_as_often_as_rounding_turns_them() -> None:
    value, turned, other = np.array([0, 1, 2, 3]), np.array([0, 1, 2, 4]), np.array([9, 1, 2, 3])
    assert compared_values([value, turned], other) == 1.0
    assert compared_values([value, value], other) == np.inf
    assert compared_values([value, value], value) == 0.0


def compared_values(twins: list[np.ndarray], got: np.ndarray) -> float:
    return _compared([{"labels": twin} for twin in twins], {"labels": got}).excess
