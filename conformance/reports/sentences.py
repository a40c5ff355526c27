"""What a check measured, in one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from assay.conformance.reports import wording
from assay.conformance.reports.readings import (
    Accuracy,
    Conversion,
    Graphs,
    Latency,
    Level,
    Lint,
    Parity,
    Reading,
    Variant,
    reading_of,
)
from assay.conformance.reports.summary import candidate_timing, label
from assay.conformance.result import CheckResult, Finding, Result


def verdict_sentence(result: Result) -> str:
    """The verdict of a result, with the stage that decided it."""
    word = {"pass": "passes every check", "fail": "fails", "inconclusive": "is not judged"}[result.verdict.value]
    return word if result.stage is None else f"{word} at {wording.plain(result.stage)}"


def finding_sentence(finding: Finding) -> str:
    """Code and message of a finding, and where it is."""
    where = wording.pairs(finding.location)
    return wording.plain(f"{finding.code}: {finding.message}") + (f" ({where})" if where else "")


def failure_sentence(check: CheckResult) -> str:
    """Why a check does not pass: its first finding that is an error, else its first, else that it names none."""
    errors = [finding for finding in check.findings if finding.severity == "error"]
    for finding in errors or check.findings:
        return finding_sentence(finding)
    return f"{label(check)} is {check.verdict.value} and names no finding"


def measured_sentence(check: CheckResult) -> str | None:
    """What the check measured; None where it measured nothing that is known."""
    reading = reading_of(check)
    sentence = _SENTENCES.get(type(reading))
    return None if sentence is None else sentence(reading)


def _conversion(reading: Conversion) -> str | None:
    wrote = wording.listed(
        [
            _with(reading.nodes, "{} nodes", wording.integer),
            _with(reading.parameters, "{} parameters", wording.integer),
            wording.size(reading.bytes),
        ]
    )
    by = _with(reading.exporter, "by {}", wording.plain)
    when = _with(reading.seconds, "in {} s", wording.significant)
    return wording.listed([wrote, _with(reading.opset, "opset {}", str), wording.listed([by, when], " ")], "; ")


def _lint(reading: Lint) -> str | None:
    counts = ((reading.rules, "rule"), (reading.errors, "error"), (reading.warnings, "warning"))
    told = [wording.counted(count, noun) for count, noun in counts if count is not None]
    ignored = wording.listed(map(wording.plain, reading.ignored))
    return wording.listed([wording.listed(told), _with(ignored, "ignored by the manifest: {}", str)], "; ")


def _parity(reading: Parity) -> str | None:
    at = wording.listed([_with(reading.worst_probe, "probe {}", wording.plain), _output(reading.worst_output)])
    worst = _with(reading.worst_ratio, "worst error {}", wording.ratio)
    worst = f"{worst} at {at}" if worst and at else worst
    probes = _judged_probes(reading)
    largest = _with(reading.largest_error, "largest error {}", wording.error)
    oracle = _with(reading.oracle, "oracle {}", wording.plain)
    searched = _with(reading.search and reading.search.tried, "{} inputs searched", wording.integer)
    limits = _with(wording.listed(map(wording.plain, reading.conditions), " and "), "holds where {}", str)
    said = [limits, worst, largest, probes, relations_sentence(reading), searched, oracle, _level(reading.level)]
    return wording.listed(said, "; ")


def relations_sentence(reading: Parity) -> str | None:
    """How many relations between probes hold, and how many do not or could not be judged."""
    if not reading.relations:
        return None
    count = Counter(relation.status for relation in reading.relations)
    told = wording.counted(len(reading.relations), "relation")
    others = [f"{count[status]:,} {status}" for status in ("broken", "not judged") if count[status]]
    return f"{told} ({wording.listed(others)})" if others else f"{told}, all held"


def broken_relations(check: CheckResult) -> str | None:
    """How many relations between probes are broken; None where all that were judged hold."""
    reading = reading_of(check)
    relations = reading.relations if isinstance(reading, Parity) else ()
    count = sum(relation.status == "broken" for relation in relations)
    return f"{wording.counted(count, 'relation')} broken" if count else None


def _level(level: Level | None) -> str | None:
    """Which level was used, where it is not the default one, and what it proves."""
    if level is None or level.name in (None, "default"):
        return None
    proves = _with(level.proves, ", which proves {}", wording.plain) or ""
    return f"level {wording.plain(level.name)}{proves}"


def _judged_probes(reading: Parity) -> str | None:
    """How many probes there are, and how many of them judge where the source refuses some."""
    if not reading.probes:
        return None
    refused = sum(probe.status == "refused by the source" for probe in reading.probes)
    count = wording.counted(len(reading.probes), "probe")
    return f"{len(reading.probes) - refused:,} of {count} (the source refuses {refused:,})" if refused else count


def _output(name: str | None) -> str | None:
    return _with(name, "output {}", wording.plain)


def _graph(reading: Graphs) -> str | None:
    return wording.listed(
        _with(model.nodes, f"{wording.plain(model.name)} {{}} nodes", wording.integer)
        for model in reading.models
        if model.name
    )


def _accuracy(reading: Accuracy) -> str | None:
    metric = wording.plain(reading.metric or "score")
    score = reading.float_model.score if reading.float_model else None
    base = f"{metric} {wording.score(score, reading.metric)} in float" if score is not None else None
    samples = _with(reading.samples, "{} samples", wording.integer)
    return wording.listed([base, *(_variant(item, reading.metric) for item in reading.variants), samples], "; ")


def _variant(variant: Variant, metric: str | None) -> str | None:
    if variant.name is None or variant.score is None:
        return None
    return f"{wording.plain(variant.name)} {wording.score(variant.score, metric)}"


def _latency(reading: Latency) -> str | None:
    timing = candidate_timing(reading)
    times = (
        [
            _with(timing.median_ms, "median {}", wording.milliseconds),
            _with(timing.p95_ms, "p95 {}", wording.milliseconds),
        ]
        if timing
        else []
    )
    setting = [
        wording.counted(reading.threads, "thread") if reading.threads is not None else None,
        wording.counted(reading.samples, "sample") if reading.samples is not None else None,
    ]
    return wording.listed([wording.listed(times), wording.listed(setting)], "; ")


def _with(value: Any, form: str, write: Callable[[Any], str | None]) -> str | None:
    return None if value is None else form.replace("{}", write(value) or "")


_SENTENCES: Mapping[type[Reading], Callable[[Any], str | None]] = {
    Conversion: _conversion,
    Lint: _lint,
    Parity: _parity,
    Graphs: _graph,
    Accuracy: _accuracy,
    Latency: _latency,
}
