"""One row a model: what terminal, page and Markdown say first."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from assay.conformance.reports import wording
from assay.conformance.reports.readings import Accuracy, Latency, Lint, Parity, TimeRatio, Timing, Variant, reading_of
from assay.conformance.result import CheckResult, Result, Verdict

OURS = "ours"
"""The name of the candidate among the models of a latency or graph check."""

Named = Sequence[tuple[str, Result]]


@dataclass(frozen=True)
class Row:
    """What there is to say of one model; None where nothing was measured."""

    model: str
    source: str | None
    verdict: str
    stage: str | None
    parity: str | None
    parity_provider: str | None
    float_score: str | None
    variant_score: str | None
    median: str | None
    p95: str | None
    lint: str | None
    peer_parity: str | None
    peer_time: str | None


@dataclass(frozen=True)
class Column:
    """A heading and the part of a row that stands under it."""

    heading: str
    cell: Callable[[Row], str | None]


GROUPS: tuple[tuple[Column, ...], ...] = (
    (Column("model", lambda row: row.model), Column("source", lambda row: row.source)),
    (Column("verdict", lambda row: row.verdict), Column("stage", lambda row: row.stage)),
    (Column("worst error", lambda row: row.parity), Column("on", lambda row: row.parity_provider)),
    (Column("float", lambda row: row.float_score), Column("int8", lambda row: row.variant_score)),
    (Column("median", lambda row: row.median), Column("p95", lambda row: row.p95)),
    (Column("lint", lambda row: row.lint),),
    (Column("vendor error", lambda row: row.peer_parity), Column("vendor time", lambda row: row.peer_time)),
)
"""Columns that belong together: stacked in one where a page is narrow."""


def summary_row(name: str, result: Result) -> Row:
    """The row of one model."""
    parity = worst_parity(result)
    accuracy = next((reading for _, reading in accuracies(result)), None)
    latency = next((reading for _, reading in latencies(result)), None)
    timing = candidate_timing(latency)
    score = accuracy.float_model.score if accuracy and accuracy.float_model else None
    variant = judged_variant(accuracy)
    return Row(
        model=wording.plain(name),
        source=source_of(result),
        verdict=result.verdict.value,
        stage=None if result.stage is None else f"at {wording.plain(result.stage)}",
        parity=wording.ratio(parity[1].worst_ratio) if parity else None,
        parity_provider=parity[0].provider if parity and parity[1].worst_ratio is not None else None,
        float_score=wording.score(score, accuracy.metric if accuracy else None),
        variant_score=wording.score(variant.score, accuracy.metric) if accuracy and variant else None,
        median=wording.milliseconds(timing.median_ms) if timing else None,
        p95=wording.milliseconds(timing.p95_ms) if timing else None,
        lint=_lint(result),
        peer_parity=next((wording.ratio(reading.worst_ratio) for _, reading in peer_parities(result)), None),
        peer_time=_peer_time(result, latency),
    )


def tally(results: Named) -> str:
    """How many models there are and how they fared: ``3 models: 2 pass, 1 fail``."""
    if not results:
        return "no model was judged"
    counts = {verdict: sum(result.verdict is verdict for _, result in results) for verdict in Verdict}
    fared = wording.listed(f"{count} {verdict.value}" for verdict, count in counts.items() if count)
    return f"{wording.counted(len(results), 'model')}: {fared}"


def label(check: CheckResult) -> str:
    """The name of a check with its provider: ``parity[cpu]``."""
    return wording.plain(check.check if check.provider is None else f"{check.check}[{check.provider}]")


def source_of(result: Result) -> str | None:
    """Framework and kind of the source: ``pytorch module``."""
    parts = (result.reference.get(key) for key in ("framework", "kind"))
    return wording.listed((wording.plain(part) for part in parts if part), " ")


def parities(result: Result) -> Iterator[tuple[CheckResult, Parity]]:
    """Parity of the candidate, one a provider."""
    for check in result.checks:
        if check.check == "parity" and isinstance(reading := reading_of(check), Parity):
            yield check, reading


def peer_parities(result: Result) -> Iterator[tuple[CheckResult, Parity]]:
    """Parity of other models shown beside the candidate."""
    for check in result.checks:
        if check.check.startswith("parity:") and isinstance(reading := reading_of(check), Parity):
            yield check, reading


def accuracies(result: Result) -> Iterator[tuple[CheckResult, Accuracy]]:
    """Accuracy, one a provider."""
    for check in result.checks:
        if isinstance(reading := reading_of(check), Accuracy):
            yield check, reading


def latencies(result: Result) -> Iterator[tuple[CheckResult, Latency]]:
    """Latency, one a provider."""
    for check in result.checks:
        if isinstance(reading := reading_of(check), Latency):
            yield check, reading


def peer_of(check: CheckResult) -> str:
    """Whose parity a ``parity:<peer>`` check tells."""
    return wording.plain(check.check.partition(":")[2])


def worst_parity(result: Result) -> tuple[CheckResult, Parity] | None:
    """The candidate's parity on the provider where its ratio is worst; what is not finite is worst of all."""
    return max(parities(result), key=lambda pair: _badness(pair[1].worst_ratio), default=None)


def _badness(ratio: float | None) -> float:
    return -1.0 if ratio is None else ratio if math.isfinite(ratio) else math.inf


def candidate_timing(latency: Latency | None) -> Timing | None:
    """The candidate among the models that were timed."""
    models = latency.models if latency else ()
    return next((model for model in models if model.name == OURS), models[0] if models else None)


def judged_variant(accuracy: Accuracy | None) -> Variant | None:
    """The quantized model that counts: the first that the manifest requires, else the first."""
    variants = accuracy.variants if accuracy else ()
    return next((variant for variant in variants if variant.required), variants[0] if variants else None)


def _lint(result: Result) -> str | None:
    reading = next((reading for check in result.checks if isinstance(reading := reading_of(check), Lint)), None)
    if reading is None or reading.errors is None or reading.warnings is None:
        return None
    counts = ((reading.errors, "error"), (reading.warnings, "warning"))
    return wording.listed(wording.counted(count, noun) for count, noun in counts if count) or "clean"


def _peer_time(result: Result, latency: Latency | None) -> str | None:
    peers = {peer_of(check) for check, _ in peer_parities(result)} | {"vendor"}
    found: TimeRatio | None = next((item for item in latency.ratios if item.name in peers), None) if latency else None
    return f"{wording.time_ratio(found.ratio)} time" if found and found.ratio is not None else None
