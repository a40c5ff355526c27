"""What runs a candidate: repeats, ladders and steps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import onnx.parser
import pytest

from assay.conformance.parity.judged import settled
from assay.conformance.parity.oracle import Oracle
from assay.conformance.parity.probes import Probe, graph_constants
from assay.conformance.parity.repeats import same
from assay.conformance.parity.unrolled import unrolled, unrolled_oracle
from assay.conformance.providers.runtime import RuntimeRefused
from assay.converters.sources import open_source

Feeds = Mapping[str, np.ndarray]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ml_dtypes.bfloat16])
def test_a_repeat_may_have_nan_and_another_order_of_additions(dtype: type) -> None:
    values: np.ndarray = np.array([1, np.nan, -3, np.inf]).astype(dtype)
    assert same(values, values.copy())
    assert not same(values, np.array([1.5, np.nan, -3, np.inf]).astype(dtype))
    assert not same(values, np.array([1, 2, -3, np.inf]).astype(dtype))
    assert not same(values, values[:2])


def test_a_repeat_of_another_dtype_is_not_the_same() -> None:
    assert not same(np.ones(2, np.float32), np.ones(2, np.float64))


@pytest.mark.parametrize(("margin", "expected"), [(0, 1e4), (1, 1e2), (2, None)])
def test_a_ladder_stops_at_the_strongest_rung_that_stays_finite(margin: int, expected: float | None) -> None:
    ladder = tuple({"x": np.array([size], np.float32)} for size in (1e30, 1e20, 1e4, 1e2))

    def square(feeds: Feeds) -> dict[str, np.ndarray]:
        with np.errstate(over="ignore"):
            return {"y": feeds["x"] * feeds["x"]}

    found = settled(Probe("near overflow", "", ladder[-1], ladder=ladder, margin=margin), square)
    assert (None if found is None else float(found.feeds["x"][0])) == expected


def test_a_rung_that_raises_is_not_taken() -> None:
    table = np.arange(40.0)
    ladder = tuple({"i": np.array([index])} for index in (99, 39, 9))
    found = settled(Probe("last rows", "", ladder[-1], ladder=ladder), lambda feeds: {"y": table[feeds["i"]]})
    assert found is not None
    assert found.feeds["i"].tolist() == [39]


def counting(feeds: Feeds) -> dict[str, np.ndarray]:
    return {"y": feeds["x"] * feeds["state"], "stateN": feeds["state"] + 1}


def test_each_step_gets_what_the_one_before_gave() -> None:
    later = tuple({"x": np.array([float(step)])} for step in (2, 3))
    probe = Probe("steps", "", {"x": np.ones(1), "state": np.zeros(1)}, later=later, feedback={"stateN": "state"})
    found = unrolled(counting, probe)(probe.feeds)
    assert {name: value.item() for name, value in found.items() if name.startswith("y")} == {
        "y at step 1": 0,
        "y at step 2": 2,
        "y at step 3": 6,
    }


def test_an_output_that_is_missing_can_not_be_fed_back() -> None:
    feeds = {"x": np.ones(1), "state": np.zeros(1)}
    probe = Probe("steps", "", feeds, later=({"x": np.ones(1)},), feedback={"hidden": "state"})
    with pytest.raises(RuntimeRefused, match="output hidden is missing"):
        unrolled(counting, probe)(feeds)


STEPPED = """<ir_version: 8, opset_import: ["" : 17]> g (float[n] x, float[n] state) => (float[n] y, float[n] stateN) {
    y = Mul(state, x) stateN = Exp(state)
}"""
CONSTANTS = """<ir_version: 8, opset_import: ["" : 17]> g (float[n] x) => (float[m] y)
<float limit = {512.0}, int64[2] target = {-1, 24}, int64 one = {1}> {
    small = Less(x, limit) wide = Reshape(small, target) y = Gather(table, one)
}"""


def test_an_oracle_over_steps_has_the_noise_of_all_of_them(tmp_path: Path) -> None:
    onnx.save(onnx.parser.parse_model(STEPPED), tmp_path / "m.onnx")
    feeds = {"x": np.ones(24, np.float32), "state": np.linspace(0, 1, 24, dtype=np.float32)}
    probe = Probe("steps", "", feeds, later=({"x": feeds["x"]},), feedback={"stateN": "state"})
    found = unrolled_oracle(Oracle(open_source(tmp_path / "m.onnx"), feeds), probe).judge(feeds)
    np.testing.assert_allclose(found.values["stateN at step 2"], np.exp(np.exp(feeds["state"])), rtol=1e-5)
    assert found.floor["stateN at step 2"].max > found.floor["stateN at step 1"].max > 0


def test_constants_of_a_graph_are_thresholds_first_then_tables_and_targets(tmp_path: Path) -> None:
    model = onnx.parser.parse_model(CONSTANTS)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros((300, 2), np.float32), "table"))
    onnx.save(model, tmp_path / "m.onnx")
    assert graph_constants(tmp_path / "m.onnx") == (512, 300, 24)
