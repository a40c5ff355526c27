"""What the page shows of each check beyond its sentence: a plot, a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from markupsafe import Markup

from assay.conformance.reports import wording
from assay.conformance.reports.readings import Accuracy, Latency, Parity, Probe, reading_of
from assay.conformance.reports.sentences import relations_sentence
from assay.conformance.reports.summary import OURS, label, peer_of, peer_parities
from assay.conformance.reports.tables import Table, probe_table, relation_table, table_of
from assay.conformance.result import CheckResult, Result


@dataclass(frozen=True)
class Exhibit:
    """A plot and a table with a heading; a long table is folded behind its caption."""

    heading: str
    plot: Markup | None = None
    caption: str | None = None
    table: Table | None = None
    table_caption: str | None = None
    probes: tuple[tuple[str, str | None], ...] = ()


def exhibits(result: Result, anchor: str) -> Iterator[Exhibit]:
    """The exhibits of all checks in order; ids in the plots begin with ``anchor``."""
    for number, check in enumerate(result.checks, 1):
        exhibit = _exhibit(result, check, f"{anchor}-plot-{number}")
        if exhibit.plot or exhibit.table:
            yield exhibit
        yield from _relations(check)


def _exhibit(result: Result, check: CheckResult, key: str) -> Exhibit:
    reading = reading_of(check)
    if isinstance(reading, Parity):
        return _parity(result, check, reading, key)
    if isinstance(reading, Latency):
        return _latency(check, reading, key)
    if isinstance(reading, Accuracy):
        return _accuracy(check, reading, key)
    return Exhibit(label(check), table=table_of(check))


def _parity(result: Result, check: CheckResult, parity: Parity, key: str) -> Exhibit:
    from assay.conformance.reports.parity_plot import omitted_probes, parity_plot

    table = probe_table(parity)
    shown = Exhibit(
        label(check),
        table=table if table.rows else None,
        table_caption=f"{wording.counted(len(parity.probes), 'probe')}, every output",
        probes=tuple(map(_purpose, parity.probes)),
    )
    if check.check != "parity" or not parity.probes:
        return shown
    peers = [(peer_of(other), reading) for other, reading in peer_parities(result) if other.provider == check.provider]
    omitted = omitted_probes(parity)
    caption = f"{wording.counted(omitted, 'probe')} with smaller errors left out" if omitted else None
    return replace(shown, plot=Markup(parity_plot([(OURS, parity), *peers], key)), caption=caption)


def _relations(check: CheckResult) -> Iterator[Exhibit]:
    """The relations between probes, folded behind how many there are and hold."""
    reading = reading_of(check)
    if isinstance(reading, Parity) and reading.relations:
        heading = f"{label(check)}: relations between probes"
        yield Exhibit(heading, table=relation_table(reading), table_caption=relations_sentence(reading))


def _purpose(probe: Probe) -> tuple[str, str | None]:
    status = None if probe.status == "judged" else probe.status
    told = wording.listed([probe.purpose, wording.shapes(probe.shapes), status], "; ")
    return wording.plain(probe.name or "unnamed"), None if told is None else wording.plain(told)


def _latency(check: CheckResult, latency: Latency, key: str) -> Exhibit:
    from assay.conformance.reports.latency_plot import latency_plot

    setting = [
        wording.counted(latency.threads, "thread") if latency.threads is not None else None,
        f"{wording.counted(latency.samples, 'sample')} a model" if latency.samples is not None else None,
        f"after {wording.counted(latency.warmup, 'run')} of warm-up" if latency.warmup is not None else None,
        wording.shapes(latency.inputs),
    ]
    return Exhibit(label(check), _markup(latency_plot(latency, key)), wording.listed(setting), table_of(check))


def _accuracy(check: CheckResult, accuracy: Accuracy, key: str) -> Exhibit:
    from assay.conformance.reports.accuracy_plot import accuracy_plot

    caption = f"{wording.counted(accuracy.samples, 'sample')}" if accuracy.samples is not None else None
    return Exhibit(label(check), _markup(accuracy_plot(accuracy, key)), caption, table_of(check))


def _markup(svg: str | None) -> Markup | None:
    return None if svg is None else Markup(svg)
