"""A comparison as one self-contained HTML page, in the style of the report."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from assay.conformance.comparison.comparison import ComparedModel, Comparison
from assay.conformance.reports import comparison_tables as tables
from assay.conformance.reports import wording
from assay.conformance.reports.comparison_heat import heat_map
from assay.conformance.reports.comparison_plots import MOST_OPERATORS, operator_plot
from assay.conformance.reports.html import environment_lines, template
from assay.conformance.reports.latency_plot import latency_plot
from assay.conformance.reports.readings import Latency
from assay.conformance.reports.tables import Cells, Table, table_of

_GROUPS = (
    ("model", "source"),
    ("verdict", "lint"),
    ("error", "worst probe"),
    ("atol", "probes judged"),
    ("nodes", "transposes"),
    ("parameters", "size"),
    ("opset", "dynamic axes"),
    ("conversion", "peak memory"),
    ("median", "relative time"),
)


@dataclass(frozen=True)
class RowView:
    """A row of the summary: two figures a cell."""

    model: str
    source: str | None
    anchor: str | None
    verdict: str | None
    lint: str | None
    groups: tuple[Cells, ...]


@dataclass(frozen=True)
class NotesView:
    """What is to be said of one model."""

    anchor: str
    name: str
    notes: tuple[tuple[str, str], ...]


def render_comparison_html(comparison: Comparison) -> str:
    """The page: a summary, the heat map, what is wrong with each model, operators, latency, interfaces, environment."""
    latency, operators = tables.latency_of(comparison), operator_plot(comparison, "operators")
    noted = [_notes(index, model) for index, model in enumerate(comparison.models, 1)]
    return template("comparison.html", "report.css", "comparison.css")(
        tally=tables.tally(comparison),
        verdict_word=comparison.verdict.value,
        reference=tables.reference_line(comparison),
        groups=_GROUPS,
        rows=_rows(comparison, noted),
        heat=heat_map(comparison),
        gate=next((parity.gate for _, _, parity in tables.heat_rows(comparison) if parity.gate), None),
        models=noted,
        operators=operators and Markup(operators),
        operators_omitted=max(0, len(tables.operators_of(comparison)) - MOST_OPERATORS),
        operator_table=tables.operator_table(comparison),
        latency=latency and Markup(latency_plot(latency, "latency") or ""),
        latency_caption=latency and _setting(latency),
        latency_table=comparison.latency and table_of(comparison.latency),
        interface=tables.interface_table(comparison),
        files=_files(comparison),
        environment=environment_lines(comparison.environment),
    )


def _rows(comparison: Comparison, noted: list[NotesView]) -> list[RowView]:
    summary = tables.summary_table(comparison)
    column = {heading: index for index, heading in enumerate(summary.headings)}
    times = len(summary.headings) - 1
    return [
        RowView(
            model=wording.plain(model.name),
            source=wording.plain(model.source) if model.source != model.name else None,
            anchor=notes.anchor if notes.notes else None,
            verdict=model.verdict.value if model.verdict else None,
            lint=cells[column["lint"]],
            groups=(
                (cells[column["error"]], cells[column["worst probe"]]),
                (cells[column["atol"]], _judged(model)),
                (cells[column["nodes"]], cells[column["transposes"]]),
                (cells[column["parameters"]], cells[column["size"]]),
                (cells[column["opset"]], cells[column["axes"]]),
                (cells[column["convert"]], cells[column["memory"]]),
                (cells[column["median"]], cells[times]),
            ),
        )
        for model, notes, cells in zip(comparison.models, noted, summary.rows, strict=True)
    ]


def _judged(model: ComparedModel) -> str | None:
    """``27 of 30`` probes."""
    probes = model.parity.probes if model.parity else {}
    return f"{probes.get('judged', 0)} of {sum(probes.values())}" if probes else None


def _notes(index: int, model: ComparedModel) -> NotesView:
    return NotesView(f"model-{index}", wording.plain(model.name), tuple(tables.notes(model)))


def _setting(latency: Latency) -> str | None:
    parts = [
        wording.counted(latency.threads, "thread") if latency.threads is not None else None,
        f"{wording.counted(latency.samples, 'sample')} a model, in turns" if latency.samples is not None else None,
        wording.shapes(latency.inputs),
    ]
    return wording.listed(parts)


def _files(comparison: Comparison) -> Table:
    rows = (
        (wording.plain(model.name), wording.plain(file.name), file.sha256, f"{file.size:,}")
        for model in comparison.models
        for file in model.files
    )
    return Table(("model", "file", "SHA-256", "bytes"), tuple(rows), names=3)
