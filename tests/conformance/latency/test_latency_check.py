"""A slow model fails its limit, a fast one passes, and what can't be told from here is inconclusive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_onnx

from assay import convert
from assay.conformance.candidate import Candidate, open_candidate
from assay.conformance.isolation import Worker
from assay.conformance.latency import check as latency
from assay.conformance.latency.check import Timing, check_latency
from assay.conformance.result import CheckResult, Verdict

KILLED = f"""
g (float[batch,6] x) => (float[batch,6] y) <int64 lowest = {{{-(2**63)}}}, int64 minus_one = {{-1}}> {{
    quotient = Div(lowest, minus_one)
    nothing = Sub(quotient, quotient)
    zero = Cast<to = 1>(nothing)
    y = Add(x, zero)
}}"""


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker() as worker:
        yield worker


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Candidate:
    return open_candidate(tiny_onnx.write(tiny_onnx.RELU, tmp_path_factory.mktemp("fast") / "m.onnx"))


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Candidate:
    return open_candidate(tiny_onnx.write(tiny_onnx.LOOP, tmp_path_factory.mktemp("slow") / "m.onnx"))


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Candidate:
    return open_candidate(tiny_onnx.write(KILLED, tmp_path_factory.mktemp("killed") / "m.onnx"))


def judge(worker: Worker, timing: Timing, *models: Candidate, provider: str = "cpu") -> CheckResult:
    named = dict(zip(("ours", "other", "third"), models, strict=False))
    return check_latency(timing, named, models[0].interface, provider, worker)


def codes(check: CheckResult) -> list[tuple[str, str]]:
    return [(finding.code, finding.severity) for finding in check.findings]


@pytest.mark.parametrize("limit", [Timing(80, max_median_ms=0.1), Timing(80, max_p95_ms=0.1)], ids=["median", "p95"])
def test_a_slow_model_fails_its_limit(limit: Timing, slow: Candidate, worker: Worker) -> None:
    check = judge(worker, limit, slow)
    assert (check.verdict, codes(check)) == (Verdict.FAIL, [("LT001", "error")])
    assert "but should be at most 0.1 ms" in check.findings[0].message


def test_a_fast_model_passes_its_limits(fast: Candidate, worker: Worker) -> None:
    check = judge(worker, Timing(80, max_median_ms=50, max_p95_ms=50), fast)
    assert (check.verdict, check.findings) == (Verdict.PASS, ())
    assert check.measurements["samples"] == len(check.measurements["models"][0]["times_ms"]) == 80


def test_a_limit_that_the_samples_are_too_few_for_is_no_pass(fast: Candidate, worker: Worker) -> None:
    check = judge(worker, Timing(20, max_p95_ms=50), fast)
    assert (check.verdict, codes(check)) == (Verdict.INCONCLUSIVE, [("LT001", "warning")])
    assert "an interval needs more samples" in check.findings[0].message
    assert check.measurements["models"][0]["p95_high"] is None


def test_an_interval_that_spans_the_limit_is_no_verdict() -> None:
    row = {"median_ms": 2.0, "median_low": 1.9, "median_high": 2.1}
    verdicts, findings = latency._judge({**row, "p95_low": 2.5, "p95_high": 2.6}, Timing(max_median_ms=2.0))
    assert verdicts[-1] is Verdict.INCONCLUSIVE
    assert findings[0].message == "the median is 2 ms (1.9 to 2.1), but should be at most 2 ms"


def test_models_side_by_side_are_compared_with_the_first(fast: Candidate, slow: Candidate, worker: Worker) -> None:
    check = judge(worker, Timing(20), fast, slow)
    assert [row["name"] for row in check.measurements["models"]] == ["ours", "other"]
    (ratio,) = check.measurements["ratios"]
    assert (ratio["name"], ratio["low"] > 5) == ("other", True)
    assert check.measurements["models"][0]["placement"] == {"CPUExecutionProvider": 1}


def test_a_model_beside_ours_that_can_not_run_is_left_out(fast: Candidate, killed: Candidate, worker: Worker) -> None:
    check = judge(worker, Timing(20), fast, killed, fast)
    assert (check.verdict, codes(check)) == (Verdict.PASS, [("LT002", "warning")])
    assert "other can't be timed: the process was killed by SIGFPE" in check.findings[0].message
    assert [row["name"] for row in check.measurements["models"]] == ["ours", "third"]


def test_a_model_that_can_not_run_fails(fast: Candidate, killed: Candidate, worker: Worker) -> None:
    check = judge(worker, Timing(20), killed, fast)
    assert (check.verdict, codes(check)) == (Verdict.FAIL, [("LT002", "error")])
    assert check.findings[0].location == {"model": "ours"}


def test_a_model_too_slow_for_all_samples_is_timed_by_fewer(slow: Candidate) -> None:
    with Worker(time_limit=0.5) as hasty:
        check = judge(hasty, Timing(100_000), slow)
    assert check.verdict is Verdict.PASS
    assert 20 <= check.measurements["samples"] < 100_000


def test_a_batch_axis_is_timed_at_its_smallest_size(tmp_path: Path, worker: Worker) -> None:
    path = tiny_onnx.write(tiny_onnx.RELU, tmp_path / "m.onnx")
    shapes = {"x": "float32[batch,6]", "at least 4": "float32[batch>=4,6]"}
    for text, size in zip(shapes.values(), (1, 4), strict=True):
        bundle = convert(path, tmp_path / str(size), inputs={"x": text})
        assert judge(worker, Timing(20), open_candidate(bundle)).measurements["inputs"] == {"x": [size, 6]}


def test_a_provider_that_is_not_here_is_no_verdict(fast: Candidate, worker: Worker) -> None:
    check = judge(worker, Timing(20), fast, provider="qnn")
    assert (check.verdict, codes(check)) == (Verdict.INCONCLUSIVE, [("LT003", "warning")])
    assert "has no QNNExecutionProvider" in check.findings[0].message
