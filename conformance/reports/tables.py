"""The measurements of a check as a table; terminal and page show the same ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assay.conformance.reports import wording
from assay.conformance.reports.readings import (
    Accuracy,
    Conversion,
    Graphs,
    Latency,
    OutputError,
    Parity,
    Probe,
    Reading,
    Relation,
    Score,
    TimeRatio,
    Timing,
    Variant,
    reading_of,
)
from assay.conformance.result import CheckResult

Cells = tuple[str | None, ...]


@dataclass(frozen=True)
class Table:
    """Headings and rows; the first ``names`` columns hold names, the others figures."""

    headings: tuple[str, ...]
    rows: tuple[Cells, ...]
    names: int = 1


def table_of(check: CheckResult) -> Table | None:
    """The table of a check's measurements; None where there is none worth a table."""
    reading = reading_of(check)
    build = _TABLES.get(type(reading))
    table = None if build is None else build(reading)
    return table if table and table.rows else None


def probe_table(parity: Parity) -> Table:
    """Every output on every probe."""
    headings = ("probe", "output", "max error", "floor max", "RMS error", "floor RMS", "ratio")
    return Table(headings, tuple(row for probe in parity.probes for row in _probe_rows(probe)), names=2)


def relation_table(parity: Parity, *, broken: bool = False) -> Table:
    """Every relation between probes, or those that are broken: how many places should stay, leak, or are dead."""
    shown = [relation for relation in parity.relations if not broken or relation.status == "broken"]
    headings = ("relation", "probe", "base", "output", "status", "places", "stay", "leak", "dead")
    return Table(headings, tuple(row for relation in shown for row in _relation_rows(relation)), names=5)


def _relation_rows(relation: Relation) -> Iterator[Cells]:
    head = (_name(relation.change), _name(relation.probe), _name(relation.base))
    for moves in relation.outputs:
        counts = (moves.places, moves.stays, moves.leaks, moves.dead)
        wrong = bool(moves.leaks or moves.dead)
        yield *head, _name(moves.output), "broken" if wrong else "held", *map(wording.integer, counts)
    if not relation.outputs:
        yield *head, None, _name(relation.status), *[None] * 4


def worst_outputs(parity: Parity, count: int) -> Table:
    """The outputs with the largest ratios, and the probes where they have them."""
    pairs = [(probe, output) for probe in parity.probes for output in probe.outputs if output.ratio is not None]
    pairs.sort(key=lambda pair: -_badness(pair[1]))
    rows = tuple((_name(probe.name), *_output_cells(output)) for probe, output in pairs[:count])
    return Table(("probe", "output", "max error", "floor max", "RMS error", "floor RMS", "ratio"), rows, names=2)


def _badness(output: OutputError) -> float:
    return output.ratio if output.ratio is not None and math.isfinite(output.ratio) else math.inf


def _probe_rows(probe: Probe) -> Iterator[Cells]:
    for output in probe.outputs:
        yield _name(probe.name), *_output_cells(output)
    if not probe.outputs:
        yield _name(probe.name), _name(probe.status), *[None] * 5


def _output_cells(output: OutputError) -> Cells:
    errors = (output.max_error, output.floor_max, output.rms_error, output.floor_rms)
    return _name(output.output), *map(wording.error, errors), wording.times(output.ratio)


def _accuracy(reading: Accuracy) -> Table:
    headings = ("model", "verdict", "score", "drop", "limit", "SQNR", "size")
    variants = (_variant_row(item, reading.metric) for item in reading.variants)
    return Table(headings, (*_float_row(reading), *variants), names=2)


def _float_row(reading: Accuracy) -> Iterator[Cells]:
    if reading.float_model and reading.float_model.score is not None:
        yield "float", None, _score(reading.float_model, reading.metric), *[None] * 4


def _variant_row(item: Variant, metric: str | None) -> Cells:
    span = (wording.drop(end, metric, unit=None) for end in (item.drop_low, item.drop_high))
    return (
        _name(item.name),
        _judgement(item),
        _score(item, metric),
        _spanned(wording.drop(item.drop, metric), *span),
        wording.drop(item.max_drop, metric),
        f"{wording.significant(item.sqnr_db)} dB" if item.sqnr_db is not None else None,
        wording.size(item.bytes),
    )


def _score(item: Score, metric: str | None) -> str | None:
    ends = (wording.score(end, metric, percent="") for end in (item.low, item.high))
    return _spanned(wording.score(item.score, metric), *ends)


def _judgement(item: Variant) -> str | None:
    word = item.verdict.value if item.verdict else None
    return f"{word}, not required" if word and item.required is False else word


def _spanned(value: str | None, low: str | None, high: str | None) -> str | None:
    """A value with its confidence interval behind it."""
    return value if value is None or low is None or high is None else f"{value} ({low} to {high})"


def _latency(reading: Latency) -> Table:
    ratios = {ratio.name: ratio for ratio in reading.ratios}
    first = _name(reading.models[0].name) if reading.models else None
    headings = ("model", "median", "p95", f"time, {first or 'the first'} = 1", "nodes placed on")
    return Table(headings, tuple(_timing_row(model, ratios.get(model.name)) for model in reading.models))


def _timing_row(model: Timing, ratio: TimeRatio | None) -> Cells:
    return (
        _name(model.name),
        _time(model.median_ms, model.median_low, model.median_high),
        _time(model.p95_ms, model.p95_low, model.p95_high),
        _relative(ratio),
        wording.listed(_placed(provider, count) for provider, count in model.placement.items()),
    )


def _time(value: float | None, low: float | None, high: float | None) -> str | None:
    return _spanned(wording.milliseconds(value), wording.significant(low), wording.significant(high))


def _relative(ratio: TimeRatio | None) -> str | None:
    if ratio is None:
        return None
    return _spanned(wording.time_ratio(ratio.ratio), wording.significant(ratio.low), wording.significant(ratio.high))


def _placed(provider: object, count: object) -> str:
    return f"{wording.plain(provider).removesuffix('ExecutionProvider')} {wording.plain(count)}"


def _graph(reading: Graphs | Conversion) -> Table:
    rows = (
        (
            _name(it.name),
            wording.integer(it.nodes),
            wording.integer(it.parameters),
            wording.size(it.bytes),
            _opset(it.opset),
        )
        for it in reading.models
    )
    return Table(("model", "nodes", "parameters", "size", "opset"), tuple(rows))


def _graphs_beside(reading: Conversion) -> Table | None:
    """The graphs side by side; the sentence of the check tells of one alone."""
    return _graph(reading) if len(reading.models) > 1 else None


def _opset(version: int | None) -> str | None:
    return None if version is None else str(version)


def _name(name: str | None) -> str | None:
    return None if name is None else wording.plain(name)


_TABLES: Mapping[type[Reading], Callable[[Any], Table | None]] = {
    Conversion: _graphs_beside,
    Accuracy: _accuracy,
    Latency: _latency,
    Graphs: _graph,
}
