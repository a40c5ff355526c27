"""The measurements of a check as a table; terminal and page show the same ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assay.conformance.reports import wording
from assay.conformance.reports.readings import (
    Accuracy,
    Graphs,
    Latency,
    OutputError,
    Parity,
    Probe,
    Reading,
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
    headings = ("model", "score", "interval", "drop", "interval", "limit", "verdict", "SQNR", "size")
    return Table(headings, (*_float_row(reading), *(_variant_row(item, reading.metric) for item in reading.variants)))


def _float_row(reading: Accuracy) -> Iterator[Cells]:
    if reading.float_model and reading.float_model.score is not None:
        base = reading.float_model
        yield "float", wording.score(base.score, reading.metric), _span(base.low, base.high, reading.metric), *[None] * 6


def _variant_row(item: Variant, metric: str | None) -> Cells:
    return (
        _name(item.name),
        wording.score(item.score, metric),
        _span(item.low, item.high, metric),
        wording.drop(item.drop, metric),
        _span(item.drop_low, item.drop_high, metric),
        wording.drop(item.max_drop, metric),
        _judgement(item),
        f"{wording.significant(item.sqnr_db)} dB" if item.sqnr_db is not None else None,
        wording.size(item.bytes),
    )


def _judgement(item: Variant) -> str | None:
    word = item.verdict.value if item.verdict else None
    return f"{word} (not required)" if word and item.required is False else word


def _span(low: float | None, high: float | None, metric: str | None) -> str | None:
    return wording.interval(wording.score(low, metric), wording.score(high, metric))


def _latency(reading: Latency) -> Table:
    ratios = {ratio.name: ratio for ratio in reading.ratios}
    headings = ("model", "median", "interval", "p95", "interval", "time, ours = 1", "nodes placed on")
    return Table(headings, tuple(_timing_row(model, ratios.get(model.name)) for model in reading.models))


def _timing_row(model: Timing, ratio: TimeRatio | None) -> Cells:
    return (
        _name(model.name),
        wording.milliseconds(model.median_ms),
        wording.interval(wording.significant(model.median_low), wording.significant(model.median_high)),
        wording.milliseconds(model.p95_ms),
        wording.interval(wording.significant(model.p95_low), wording.significant(model.p95_high)),
        _relative(ratio),
        wording.listed(f"{wording.plain(provider)} {count}" for provider, count in model.placement.items()),
    )


def _relative(ratio: TimeRatio | None) -> str | None:
    if ratio is None or ratio.ratio is None:
        return None
    span = wording.interval(wording.significant(ratio.low), wording.significant(ratio.high))
    return f"{wording.time_ratio(ratio.ratio)}" + (f" ({span})" if span else "")


def _graph(reading: Graphs) -> Table:
    rows = (
        (_name(it.name), wording.integer(it.nodes), wording.integer(it.parameters), wording.size(it.bytes), _opset(it.opset))
        for it in reading.models
    )
    return Table(("model", "nodes", "parameters", "size", "opset"), tuple(rows))


def _opset(version: int | None) -> str | None:
    return None if version is None else str(version)


def _name(name: str | None) -> str | None:
    return None if name is None else wording.plain(name)


_TABLES: Mapping[type[Reading], Callable[[Any], Table]] = {Accuracy: _accuracy, Latency: _latency, Graphs: _graph}
