"""A source that crashes or hangs judges nobody there, and ends no run."""

from __future__ import annotations

from pathlib import Path

import pytest
from crashing_models import ENDLESS, HEALTHY, KILLED_AT_LOAD, KILLED_AT_RUN_TIME, write

from assay import Verdict, check


@pytest.fixture
def healthy(tmp_path: Path) -> Path:
    return write(HEALTHY, tmp_path / "healthy.onnx")


@pytest.mark.parametrize("graph", [KILLED_AT_RUN_TIME, KILLED_AT_LOAD], ids=["while it runs", "while it loads"])
def test_a_source_that_crashes_judges_nobody_and_ends_no_run(graph: str, healthy: Path, tmp_path: Path) -> None:
    """A source without graph optimization computes the constants of the second when it runs."""
    result = check(healthy, write(graph, tmp_path / "source.onnx"))
    assert result.verdict is Verdict.INCONCLUSIVE
    (finding,) = result.checks[0].findings
    assert finding.code == "PA016"
    assert "killed by SIGFPE" in finding.message
    reasons = {probe["reason"] for probe in result.checks[0].measurements["probes"]}
    assert any("is run no more, for it ended its process 3 times" in reason for reason in reasons)


def test_a_source_that_hangs_is_waited_for_once(healthy: Path, tmp_path: Path) -> None:
    result = check(healthy, write(ENDLESS, tmp_path / "source.onnx"), time_limit=1)
    assert result.verdict is Verdict.INCONCLUSIVE
    reasons = [probe["reason"] for probe in result.checks[0].measurements["probes"]]
    assert sum("hangs: the process was still at work after 1 s" in reason for reason in reasons) <= 1
    assert sum("is run no more, for it hung" in reason for reason in reasons) >= len(reasons) - 1


def test_a_source_that_crashes_on_one_probe_judges_on_the_others(tmp_path: Path) -> None:
    """The division overflows at one size only, where its divisor is -1."""
    graph = """g (float[n] x) => (float[n] y) <int64 lowest = {-9223372036854775808}, int64 size = {19}> {
        shape = Shape (x)  divisor = Sub (shape, size)
        quotient = Div (lowest, divisor)  nothing = Sub (quotient, quotient)  none = Cast <to = 1> (nothing)
        positive = Relu (x)  y = Add (positive, none)
    }"""
    source = write(graph, tmp_path / "source.onnx")
    model = write("g (float[n] x) => (float[n] y) { y = Relu (x) }", tmp_path / "m.onnx")
    result = check(model, source)
    statuses = {probe["name"]: probe["status"] for probe in result.checks[0].measurements["probes"]}
    assert statuses["n=18"] == "refused by the source"
    assert {status for name, status in statuses.items() if name != "n=18"} == {"judged"}
    assert result.verdict is Verdict.PASS
