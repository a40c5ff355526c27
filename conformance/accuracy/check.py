"""The accuracy check: scores of the float model and its quantized forms on evaluation data, with confidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from assay.conformance.accuracy.intervals import Interval, drop_interval, score_interval
from assay.conformance.accuracy.metrics import Metric, MetricError, sqnr_db
from assay.conformance.candidate import Candidate
from assay.conformance.data import Dataset, batch_axis, take
from assay.conformance.isolation import Worker, WorkerDied, WorkerTimedOut
from assay.conformance.parity.oracle import is_float
from assay.conformance.providers.catalogue import why_unavailable
from assay.conformance.providers.runtime import RuntimeRefused
from assay.conformance.providers.trial import Trial
from assay.conformance.result import CheckResult, Finding, Verdict, overall
from assay.specs.errors import AssayError

_BATCH = 32


@dataclass(frozen=True)
class Form:
    """A quantized form on trial, or the reason why there is none; ``required`` forms decide the verdict."""

    name: str
    candidate: Candidate | None
    max_drop: float
    required: bool = True
    refusal: str | None = None


def check_accuracy(
    metric: Metric, candidate: Candidate, forms: list[Form], data: Dataset, provider: str, worker: Worker
) -> CheckResult:
    """Judge each form: pass where the whole interval of its drop lies within the limit, fail where it lies beyond."""
    reason = why_unavailable(provider)
    if reason is not None:
        return _open(provider, "AC003", reason, {})
    metric = _aligned(metric, candidate)
    try:
        outputs = _outputs(candidate, metric, data, provider, worker)
        expected = _expected(metric, data, outputs)
        scores = metric.score(outputs, expected)
        if not scores.any():
            raise MetricError("it gets no sample right, so that no drop can be seen; the labels should be its own")
    except (RuntimeRefused, WorkerDied, WorkerTimedOut, AssayError) as error:
        return _open(provider, "AC002", f"the float model can't be scored: {error}", {"metric": metric.name})
    rows, findings = [], []
    for form in forms:
        row, found = _judge(form, metric, outputs, scores, expected, data, provider, worker)
        rows.append(row)
        findings += found
    required = [Verdict(row["verdict"]) for row in rows if row["required"]]
    return CheckResult(
        check="accuracy",
        provider=provider,
        verdict=overall([Verdict.PASS, *required]),
        findings=tuple(findings),
        measurements={
            "metric": metric.name,
            "output": metric.output,
            "data": data.name,
            "samples": data.size,
            "labels": data.labels is not None,
            "float": _interval(score_interval(scores, _is_graded(expected)), "score"),
            "variants": rows,
        },
    )


def _judge(
    form: Form,
    metric: Metric,
    reference: np.ndarray,
    scores: np.ndarray,
    expected: np.ndarray,
    data: Dataset,
    provider: str,
    worker: Worker,
) -> tuple[dict[str, Any], list[Finding]]:
    row: dict[str, Any] = {"name": form.name, "max_drop": form.max_drop, "required": form.required}
    try:
        if form.candidate is None:
            raise RuntimeRefused(form.refusal)
        outputs = _outputs(form.candidate, metric, data, provider, worker)
        quantized = metric.score(outputs, expected)
    except (RuntimeRefused, WorkerDied, WorkerTimedOut, AssayError) as error:
        finding = Finding(
            code="AC002",
            severity="error" if form.required else "warning",
            message=f"{form.name} does not run: {error}",
            location={"variant": form.name},
        )
        return {**row, "verdict": Verdict.FAIL.value}, [finding]
    drop = drop_interval(scores, quantized, _is_graded(expected))
    verdict = _verdict(drop, form.max_drop)
    row |= {
        **_interval(score_interval(quantized, _is_graded(expected)), "score"),
        **dict(zip(("drop", "drop_low", "drop_high"), asdict(drop).values(), strict=True)),
        "verdict": verdict.value,
        "bytes": sum(file.size for file in form.candidate.files().files),
        "sqnr_db": sqnr_db(reference, outputs),
    }
    return row, [] if verdict is Verdict.PASS else [_finding(form, drop, verdict)]


def _verdict(drop: Interval, limit: float) -> Verdict:
    if drop.high <= limit:
        return Verdict.PASS
    return Verdict.FAIL if drop.low > limit else Verdict.INCONCLUSIVE


def _finding(form: Form, drop: Interval, verdict: Verdict) -> Finding:
    span = f"{drop.low:.4f} to {drop.high:.4f}"
    measured = f"drops the score by {drop.value:.4f} ({span}), but should by at most {form.max_drop:g}"
    doubt = "" if verdict is Verdict.FAIL else "; the interval spans the limit, so more evaluation data is needed"
    severity = "error" if verdict is Verdict.FAIL and form.required else "warning"
    return Finding(
        code="AC001",
        severity=severity,  # type: ignore[arg-type]
        message=f"{form.name} {measured}{doubt}",
        location={"variant": form.name},
        evidence=asdict(drop),
    )


def _outputs(candidate: Candidate, metric: Metric, data: Dataset, provider: str, worker: Worker) -> np.ndarray:
    """The metric's output for every sample, samples along the first axis."""
    trial, batch = Trial(candidate, provider, worker), _batch(candidate)
    parts = []
    for start in range(0, data.size, batch):
        values = trial.run(take(candidate.interface, data.inputs, start, start + batch))
        parts.append(_samples_first(candidate, metric, values))
    outputs = np.concatenate(parts)
    if is_float(outputs) and np.isnan(outputs).any():
        count = int(np.isnan(outputs).reshape(len(outputs), -1).any(axis=1).sum())
        raise MetricError(f"output {metric.output} is NaN in {count} of {len(outputs)} samples, but should be a number")
    return outputs


def _batch(candidate: Candidate) -> int:
    """As many samples as the model takes at once, up to a limit."""
    limits = [axis.maximum for name, axis in candidate.interface.axes.items() if "batch" in name]
    return min([_BATCH, *(limit for limit in limits if limit is not None)])


def _samples_first(candidate: Candidate, metric: Metric, values: Mapping[str, np.ndarray]) -> np.ndarray:
    if metric.output not in values:
        raise MetricError(f"there is no output {metric.output}, but there are {', '.join(values)}")
    return np.moveaxis(np.array(values[metric.output]), _sample_axis(candidate, metric), 0)


def _sample_axis(candidate: Candidate, metric: Metric) -> int:
    spec = next((spec for spec in candidate.interface.outputs if spec.name == metric.output), None)
    return (batch_axis(spec) if spec else None) or 0


def _aligned(metric: Metric, candidate: Candidate) -> Metric:
    """The metric for outputs whose sample axis has moved to the front: the axes before it have moved back by one."""
    moved = metric.axis is not None and 0 <= metric.axis < _sample_axis(candidate, metric)
    return replace(metric, axis=metric.axis + 1) if moved and metric.axis is not None else metric


def _expected(metric: Metric, data: Dataset, outputs: np.ndarray) -> np.ndarray:
    if metric.name == "agreement":
        return metric.decide(outputs)
    if data.labels is None:
        raise MetricError(f"the metric {metric.name} needs labels, but {data.name} has none")
    return data.labels


def _is_graded(expected: np.ndarray) -> bool:
    return expected.size > len(expected)


def _interval(interval: Interval, name: str) -> dict[str, float]:
    return {name: interval.value, "low": interval.low, "high": interval.high}


def _open(provider: str, code: str, sentence: str, measurements: dict[str, Any]) -> CheckResult:
    finding = Finding(code=code, severity="warning", message=sentence, location={"provider": provider})
    return CheckResult(
        check="accuracy",
        provider=provider,
        verdict=Verdict.INCONCLUSIVE,
        findings=(finding,),
        measurements=measurements,
    )
