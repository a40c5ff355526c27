"""Results as the checks write them: one model that passes, one that fails, one that nothing is known of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from assay.conformance.result import CheckResult, FileDigest, Finding, ModelFiles, Result, Verdict

Measurements = dict[str, dict[str, Any]]


def _output(name: str, ratio: float | None) -> dict[str, Any]:
    errors = {"max_error": 3.1e-7, "rms_error": 1.1e-7, "floor_max": 2.3e-7, "floor_rms": 0.9e-7}
    return {"output": name, "ratio": ratio, "rms": 0.7, **errors}


def _parity(worst: float | None) -> dict[str, Any]:
    probes: list[dict[str, Any]] = [
        {"name": "batch-1", "purpose": "the traced shape", "shapes": {"x": [1, 6]}, "status": "judged"},
        {"name": "batch-5", "purpose": "off the traced shape", "shapes": {"x": [5, 6]}, "status": "judged"},
        {
            "name": "batch-0",
            "purpose": "empty",
            "shapes": {"x": [0, 6]},
            "status": "refused by the source",
            "outputs": [],
        },
    ]
    probes[0]["outputs"] = [_output("logits", 0.73), _output("features", 0.0)]
    probes[1]["outputs"] = [_output("logits", worst), _output("features", 1.21)]
    where = {"worst_ratio": worst, "worst_probe": "batch-5", "worst_output": "logits"}
    tolerance = {"largest_error": 4.7e-6, "rtol": 1e-6, "atol": 1e-6}
    judged = {"oracle": "float64", "gate": {"pass": 8.0, "fail": 20.0}, **where, **tolerance}
    return {**judged, "relations": _relations(worst), "probes": probes}


def _relations(worst: float | None) -> list[dict[str, Any]]:
    """One that is broken where the errors are not finite, and one that could not be judged."""
    leaks = 3 if worst is None else 0
    moves = {"output": "logits", "places": 50, "stays": 50, "leaks": leaks, "dead": 0}
    mates = {"code": "PA021", "probe": "batch-5", "base": "batch-1", "change": "other rows are beside it"}
    order = {"code": "PA023", "probe": "batch-0", "base": "batch-5", "change": "rows are in another order"}
    status = "broken" if leaks else "held"
    return [{**mates, "status": status, "outputs": [moves]}, {**order, "status": "not judged", "outputs": []}]


def _timing(name: str, median: float) -> dict[str, Any]:
    times = [median * (0.97 + 0.001 * step) for step in range(60)] + [9 * median]
    spans = {
        "median_low": 0.98 * median,
        "median_high": 1.02 * median,
        "p95_low": 1.1 * median,
        "p95_high": 1.3 * median,
    }
    placement = {"CPUExecutionProvider": 12}
    return {
        "name": name,
        "median_ms": median,
        "p95_ms": 1.2 * median,
        "placement": placement,
        "times_ms": times,
        **spans,
    }


def _measurements() -> Measurements:
    variant = {"name": "static-int8", "score": 0.9531, "low": 0.94, "high": 0.97, "drop": 0.0331, "drop_low": 0.01}
    variant |= {
        "drop_high": 0.05,
        "max_drop": 0.06,
        "required": True,
        "verdict": "pass",
        "bytes": 4321,
        "sqnr_db": 38.2,
    }
    models = [_timing("ours", 0.137), _timing("vendor", 0.171), _timing("static-int8", 2.9)]
    graph = {"nodes": 12, "parameters": 1234, "bytes": 5678, "opset": 20}
    return {
        "convert": {"exporter": "torch.onnx", "framework": "pytorch", "seconds": 2.1, **graph},
        "lint": {"rules": 16, "errors": 0, "warnings": 1, "ignored": {"MD009": "an old name that users rely on"}},
        "parity": _parity(1.7),
        "parity:vendor": _parity(3.3),
        "graph": {"models": [{"name": "ours", **graph}, {"name": "vendor", **graph, "nodes": 47}]},
        "accuracy": {
            "metric": "top1",
            "samples": 360,
            "float": {"score": 0.9862, "low": 0.97, "high": 0.99},
            "variants": [variant],
        },
        "latency": {
            "threads": 1,
            "warmup": 20,
            "samples": 61,
            "inputs": {"x": [1, 6]},
            "models": models,
            "ratios": [{"name": "vendor", "ratio": 1.25, "low": 1.2, "high": 1.3}],
        },
    }


def _result(measurements: Measurements, name: str = "digits") -> Result:
    providers = {"parity": "cpu", "parity:vendor": "cpu", "accuracy": "cpu", "latency": "cpu"}
    warning = Finding(code="MD004", severity="warning", message="metadata has no license, but should name one")
    checks = [
        CheckResult(
            check=check,
            provider=providers.get(check),
            verdict=Verdict.PASS,
            findings=(warning,) if check == "lint" else (),
            measurements=measured,
        )
        for check, measured in measurements.items()
    ]
    files = (FileDigest(name="model.onnx", sha256="ab" * 32, size=5678),)
    reference = {"source": "digits:build", "framework": "pytorch", "kind": "module", "sha256": "cd" * 32}
    environment = {"assay": "0.1.0", "python": "3.11.7", "packages": {"onnxruntime": "1.32.0"}}
    return Result.of(checks, ModelFiles(files=files, name=name), reference, environment)


@pytest.fixture
def measurements() -> Measurements:
    """Measurements of every kind of check."""
    return _measurements()


@pytest.fixture
def result_of() -> Callable[[Measurements], Result]:
    """Makes a passing result of measurements by check."""
    return _result


@pytest.fixture
def passing() -> Result:
    """A result with every kind of check, all of which pass."""
    return _result(_measurements())


@pytest.fixture
def failing() -> Result:
    """A result whose parity fails with an error that is not finite, and whose second provider died."""
    error = Finding(
        code="PA001",
        severity="error",
        message="output logits is not finite on probe batch-5, but should be finite",
        location={"output": "logits"},
        evidence={"value": "nan"},
    )
    died = Finding(code="PA009", severity="error", message="the worker died of signal 9, but should return its outputs")
    parity = CheckResult(
        check="parity", provider="cpu", verdict=Verdict.FAIL, findings=(error,), measurements=_parity(None)
    )
    dead = CheckResult(check="parity", provider="cuda", verdict=Verdict.INCONCLUSIVE, findings=(died,))
    return Result.of([parity, dead], ModelFiles(files=()), {}, {})


@pytest.fixture
def empty() -> Result:
    """A result of no check at all."""
    return Result.of([], ModelFiles(files=()), {}, {})
