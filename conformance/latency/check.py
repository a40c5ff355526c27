"""The latency check: interleaved runs of the model and those beside it, in one worker."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.conformance.candidate import Candidate
from assay.conformance.isolation import Worker, WorkerDied, WorkerTimedOut
from assay.conformance.latency.statistics import ratio, summary
from assay.conformance.providers.catalogue import why_unavailable
from assay.conformance.providers.runtime import RuntimeRefused, time_sessions
from assay.conformance.providers.trial import Trial
from assay.conformance.result import CheckResult, Finding, Verdict
from assay.converters.examples import trace_sizes, typical_feeds
from assay.specs.interface import Interface

_WARMUP = 20


@dataclass(frozen=True)
class Timing:
    """How to time: samples of each model, threads within an operator, and limits in milliseconds."""

    samples: int = 200
    threads: int = 1
    max_median_ms: float | None = None
    max_p95_ms: float | None = None


def check_latency(
    timing: Timing, models: Mapping[str, Candidate], interface: Interface, provider: str, worker: Worker
) -> CheckResult:
    """Time the models side by side; the first one is judged by the limits, the others are shown."""
    reason = why_unavailable(provider)
    if reason is not None:
        return _result(provider, Verdict.INCONCLUSIVE, [_finding("LT003", "warning", reason)], {})
    feeds = typical_feeds(interface.inputs, _one_sample(interface), seed=0)
    trials = {name: Trial(model, provider, worker, timing.threads) for name, model in models.items()}
    try:
        placements = {name: dict(trial.facts().placement) for name, trial in trials.items()}
        with tempfile.TemporaryDirectory(prefix="assay-") as folder:
            runs = {n: (t.key, t.feed(feeds, Path(folder) / str(i))) for i, (n, t) in enumerate(trials.items())}
            times = worker.call(time_sessions, runs, _WARMUP, timing.samples)
    except (RuntimeRefused, WorkerDied, WorkerTimedOut) as error:
        return _result(provider, Verdict.FAIL, [_finding("LT002", "error", f"the models can't be timed: {error}")], {})
    first = next(iter(models))
    rows = [
        {"name": n, **summary(t), "placement": placements[n], "times_ms": [round(x, 5) for x in t]}
        for n, t in times.items()
    ]
    measurements = {
        "threads": timing.threads,
        "warmup": _WARMUP,
        "samples": timing.samples,
        "inputs": {name: list(array.shape) for name, array in feeds.items()},
        "models": rows,
        "ratios": [{"name": name, **ratio(times[name], times[first])} for name in models if name != first],
    }
    verdicts, findings = _judge(rows[0], timing)
    return _result(provider, _worst(verdicts), findings, measurements)


def _one_sample(interface: Interface) -> dict[str, int]:
    return {name: 1 if "batch" in name else size for name, size in trace_sizes(interface).items()}


def _judge(row: Mapping[str, Any], timing: Timing) -> tuple[list[Verdict], list[Finding]]:
    verdicts, findings = [Verdict.PASS], []
    for key, limit in (("median", timing.max_median_ms), ("p95", timing.max_p95_ms)):
        if limit is None or row[f"{key}_high"] <= limit:
            continue
        beyond = row[f"{key}_low"] > limit
        verdicts.append(Verdict.FAIL if beyond else Verdict.INCONCLUSIVE)
        sentence = (
            f"the {key} is {row[f'{key}_ms']:.3g} ms ({row[f'{key}_low']:.3g} to {row[f'{key}_high']:.3g}), "
            f"but should be at most {limit:g} ms"
        )
        findings.append(_finding("LT001", "error" if beyond else "warning", sentence))
    return verdicts, findings


def _worst(verdicts: list[Verdict]) -> Verdict:
    return next((v for v in (Verdict.FAIL, Verdict.INCONCLUSIVE) if v in verdicts), Verdict.PASS)


def _finding(code: str, severity: Any, sentence: str) -> Finding:
    return Finding(code=code, severity=severity, message=sentence)


def _result(provider: str, verdict: Verdict, findings: list[Finding], measurements: dict[str, Any]) -> CheckResult:
    return CheckResult(
        check="latency", provider=provider, verdict=verdict, findings=tuple(findings), measurements=measurements
    )
