"""The report of what conversions cost says what was measured, failures too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cost_convert
import pytest
from conversion_costs.measurements import Measurements
from conversion_costs.report import OWN, PEER, growth_exponent, plot, text


def cost(seconds: float, mebibytes: int, **more: Any) -> dict[str, Any]:
    """What a conversion of a model of 1000 MiB cost."""
    size = {"memory": mebibytes << 20, "weights": 1000 << 20}
    return {"convert_s": seconds, "convert_cpu_s": seconds, "trace_s": 1.0, "transposes": 1, "opset": 20} | size | more


def test_ratios_are_of_models_that_both_converted() -> None:
    both = {OWN: cost(1, 10, nodes=5, same_bytes=True), PEER: cost(9, 200, nodes=7)}
    told = text({"a": both, "b": {OWN: cost(1, 10, nodes=5, same_bytes=False), PEER: {"failed": "died"}}}, {}, {})
    assert "time, tf2onnx over assay.tensorflow: median 9.0" in told
    assert "memory, tf2onnx over assay.tensorflow: median 20.0" in told
    assert "| b | tf2onnx | failed: died |" in told
    assert "same bytes in two processes: not b of 2" in told
    assert "memory over weights (should be under 1.5): a 0.01, b 0.01" in told


@pytest.mark.parametrize(
    ("ratios", "said"),
    [([1.1] * 9 + [1.4], "slower"), ([0.9] * 10, "faster"), ([0.9] * 5 + [1.1] * 5, "no difference")],
)
def test_a_file_is_slower_where_nearly_every_run_is(ratios: list[float], said: str) -> None:
    assert said in text({}, {"a": {"ms": [1.0, 1.0], "ratios": ratios}}, {})


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_the_exponent_of_growth(power: float, tmp_path: Path) -> None:
    growth = {nodes: cost((nodes / 1000) ** power, 1, nodes=nodes) for nodes in (100, 1000, 3000, 10000)}
    growth[50000] = {"failed": "took more than 600 s"}
    right = {nodes: found for nodes, found in growth.items() if "failed" not in found}
    assert growth_exponent(right) == pytest.approx(power)
    assert f"to the power of {power:.2f}" in text({}, {}, growth)
    assert "chain of 50000 failed: took more than 600 s" in text({}, {}, growth)
    plot(growth, tmp_path)
    assert "<svg" in (tmp_path / "cost_convert.svg").read_text(encoding="utf-8")


def test_what_an_earlier_run_has_measured_is_taken(tmp_path: Path) -> None:
    kept = {"convert chain of 100 assay.tensorflow": cost(1, 1, nodes=100)}
    measurements = Measurements(cost_convert.__file__, tmp_path / "partial.json", 1.0, 1.0, kept)
    assert cost_convert.grow(measurements, [100]) == {100: kept["convert chain of 100 assay.tensorflow"]}


def test_a_measurement_that_takes_too_long_is_a_failure_that_is_kept(tmp_path: Path) -> None:
    measurements = Measurements(cost_convert.__file__, tmp_path / "partial.json", 0.01, 4.0)
    assert cost_convert.grow(measurements, [100])[100] == {"failed": "took more than 0.01 s"}
    assert "0.01 s" in (tmp_path / "partial.json").read_text(encoding="utf-8")
