"""A model that kills the runtime or never ends fails by name, and takes nobody along."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from crashing_models import ENDLESS, HEALTHY, KILLED_AT_LOAD, KILLED_AT_RUN_TIME, write
from judging import Command

import assay as api
from assay import Finding, Verdict

KILLED = {"while it loads": KILLED_AT_LOAD, "while it runs": KILLED_AT_RUN_TIME}
EACH = pytest.mark.parametrize("graph", KILLED.values(), ids=KILLED)


@pytest.fixture
def healthy(tmp_path: Path) -> Path:
    return write(HEALTHY, tmp_path / "healthy.onnx")


def judged(model: Path, reference: Path, time_limit: float = 60) -> tuple[Verdict, tuple[Finding, ...]]:
    result = api.check(model, reference, time_limit=time_limit)
    return result.verdict, result.checks[0].findings


def test_the_healthy_twin_passes(healthy: Path, assay: Command) -> None:
    assert judged(healthy, healthy) == (Verdict.PASS, ())
    assert assay("check", healthy, "--reference", healthy).status == 0


@EACH
def test_a_killed_worker_fails_with_the_name_of_the_signal(graph: str, healthy: Path, tmp_path: Path) -> None:
    verdict, findings = judged(write(graph, tmp_path / "m.onnx"), healthy)
    assert verdict is Verdict.FAIL
    (finding,) = (finding for finding in findings if finding.severity == "error")
    assert finding.code == "PA007"
    assert "killed by SIGFPE" in finding.message


@EACH
def test_the_command_survives_it(graph: str, healthy: Path, tmp_path: Path, assay: Command) -> None:
    ran = assay("check", write(graph, tmp_path / "m.onnx"), "--reference", healthy, "--json", "-")
    assert (ran.status, ran.json["verdict"], ran.stderr) == (1, "fail", "")


def test_a_model_that_never_ends_fails_once_its_time_is_up(healthy: Path, tmp_path: Path) -> None:
    begin = time.monotonic()
    verdict, findings = judged(write(ENDLESS, tmp_path / "m.onnx"), healthy, time_limit=1)
    assert verdict is Verdict.FAIL
    assert [finding.code for finding in findings] == ["PA008"]
    assert "still at work after 1 s" in findings[0].message
    assert time.monotonic() - begin < 6, "the other probes should not wait as long again"


def test_the_command_stops_it_too(healthy: Path, tmp_path: Path, assay: Command) -> None:
    model = write(ENDLESS, tmp_path / "m.onnx")
    ran = assay("check", model, "--reference", healthy, "--time-limit", "2", "--json", "-")
    assert (ran.status, ran.json["verdict"], ran.stderr) == (1, "fail", "")
