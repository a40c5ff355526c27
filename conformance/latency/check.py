"""The latency check: interleaved runs of the model and those beside it, in one worker."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assay.conformance.candidate import Candidate
from assay.conformance.isolation import Worker, WorkerDied, WorkerTimedOut
from assay.conformance.latency.statistics import ratio, summary
from assay.conformance.providers.catalogue import why_unavailable
from assay.conformance.providers.runtime import RuntimeRefused, time_sessions
from assay.conformance.providers.trial import Trial
from assay.conformance.result import CheckResult, Finding, Severity, Verdict
from assay.converters.examples import trace_sizes, typical_feeds
from assay.specs.interface import Interface

_WARMUP = 20
_FEWEST = 20  # samples of a model that is too slow for all of them
_Failure = (RuntimeRefused, WorkerDied, WorkerTimedOut)


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
    """Time the models side by side; the first one is judged by the limits, the others are shown.

    A model beside it that can't be run is left out with a warning. The samples are fewer than asked for where they
    would take more than half of the worker's time limit.
    """
    reason = why_unavailable(provider)
    if reason is not None:
        return _result(
            provider, Verdict.INCONCLUSIVE, [_finding("LT003", "warning", reason, {"provider": provider})], {}
        )
    feeds = typical_feeds(interface.inputs, _one_sample(interface), seed=0)
    first, *beside = models
    trials = {name: Trial(model, provider, worker, timing.threads) for name, model in models.items()}
    refusals = {name: why for name, trial in trials.items() if (why := _why_not_run(trial, feeds)) is not None}
    findings = [_refusal(name, why, "error" if name == first else "warning") for name, why in refusals.items()]
    if first in refusals:
        return _result(provider, Verdict.FAIL, findings, {})
    running = {name: trials[name] for name in (first, *beside) if name not in refusals}
    try:
        measured = _measure(running, feeds, timing, worker)
    except _Failure as error:
        return _result(provider, Verdict.FAIL, [*findings, _refusal(", ".join(running), str(error), "error")], {})
    verdicts, found = _judge(measured["models"][0], timing)
    return _result(provider, _worst(verdicts), [*findings, *found], measured)


def _why_not_run(trial: Trial, feeds: Mapping[str, np.ndarray]) -> str | None:
    """Run the model once by itself, so that its failure has its name."""
    try:
        trial.run(feeds)
    except _Failure as error:
        return str(error)
    return None


def _measure(
    trials: Mapping[str, Trial], feeds: Mapping[str, np.ndarray], timing: Timing, worker: Worker
) -> dict[str, Any]:
    placements = {name: dict(trial.facts().placement) for name, trial in trials.items()}
    with tempfile.TemporaryDirectory(dir=worker.folder, ignore_cleanup_errors=True) as folder:
        runs = {n: (t.key, t.feed(feeds, Path(folder) / str(i))) for i, (n, t) in enumerate(trials.items())}
        limits = (_FEWEST, worker.time_limit / 2)
        times = worker.call(time_sessions, runs, _WARMUP, timing.samples, *limits)
    first = next(iter(times))
    rows = [
        {"name": n, **summary(t), "placement": placements[n], "times_ms": [round(x, 5) for x in t]}
        for n, t in times.items()
    ]
    return {
        "threads": timing.threads,
        "warmup": _WARMUP,
        "samples": len(times[first]),
        "inputs": {name: list(array.shape) for name, array in feeds.items()},
        "models": rows,
        "ratios": [{"name": name, **ratio(times[name], times[first])} for name in times if name != first],
    }


def _one_sample(interface: Interface) -> dict[str, int]:
    return {
        name: max(1, interface.axes[name].minimum) if "batch" in name else size
        for name, size in trace_sizes(interface).items()
    }


def _judge(row: Mapping[str, Any], timing: Timing) -> tuple[list[Verdict], list[Finding]]:
    verdicts, findings = [Verdict.PASS], []
    for key, limit in (("median", timing.max_median_ms), ("p95", timing.max_p95_ms)):
        low, high = row[f"{key}_low"], row[f"{key}_high"]
        if limit is None or (high is not None and high <= limit):
            continue
        beyond = low is not None and low > limit
        verdicts.append(Verdict.FAIL if beyond else Verdict.INCONCLUSIVE)
        sentence = f"the {key} is {row[f'{key}_ms']:.3g} ms ({_span(low, high)}), but should be at most {limit:g} ms"
        findings.append(_finding("LT001", "error" if beyond else "warning", sentence))
    return verdicts, findings


def _span(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "an interval needs more samples"
    return f"{low:.3g} to {high:.3g}"


def _worst(verdicts: list[Verdict]) -> Verdict:
    return next((v for v in (Verdict.FAIL, Verdict.INCONCLUSIVE) if v in verdicts), Verdict.PASS)


def _refusal(names: str, why: str, severity: Severity) -> Finding:
    return _finding("LT002", severity, f"{names} can't be timed: {why}", {"model": names})


def _finding(code: str, severity: Severity, sentence: str, location: dict[str, Any] | None = None) -> Finding:
    return Finding(code=code, severity=severity, message=sentence, location=location or {})


def _result(provider: str, verdict: Verdict, findings: list[Finding], measurements: dict[str, Any]) -> CheckResult:
    return CheckResult(
        check="latency", provider=provider, verdict=verdict, findings=tuple(findings), measurements=measurements
    )
