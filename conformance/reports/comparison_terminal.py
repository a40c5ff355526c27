"""A comparison on a terminal: one wide table, or several where that does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from assay.conformance.comparison.comparison import ComparedModel, Comparison
from assay.conformance.reports import comparison_tables as tables
from assay.conformance.reports.tables import Table
from assay.conformance.reports.terminal import STYLES, fits, grid

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_MOST_OPERATORS = 12
_MOST_NOTES = 5
_MOST_PAIRS = 10
_COLUMN = 15  # the width at which no word is broken


def render_comparison(comparison: Comparison, console: Console) -> None:
    """Print the comparison: tables of the models, what is wrong with each, the pairs, and the operators that differ."""
    console.print(_styled(f"reference: {tables.reference_line(comparison)}", "dim"), soft_wrap=True)
    for table in _summaries(comparison, console):
        console.print()
        console.print(grid(table))
    for model in comparison.models:
        console.print(*_notes(model), sep="", end="")
    for heading, table in _details(comparison, console.width):
        console.print()
        console.print(_styled(heading, "bold"))
        console.print(grid(table))
    console.print()
    console.print(_styled(tables.tally(comparison), f"bold {STYLES[comparison.verdict.value]}"))


def _summaries(comparison: Comparison, console: Console) -> list[Table]:
    whole = _filled(tables.summary_table(comparison))
    if fits(grid(whole), console):
        return [whole]
    parts = (tables.parity_table(comparison), tables.graph_table(comparison), tables.cost_table(comparison))
    return [table for table in map(_filled, parts) if len(table.headings) > 1]


def _filled(table: Table) -> Table:
    """Without the columns of which no model has anything, and the names always."""
    kept = [i for i in range(len(table.headings)) if i == 0 or any(row[i] is not None for row in table.rows)]
    rows = tuple(tuple(row[i] for i in kept) for row in table.rows)
    return Table(tuple(table.headings[i] for i in kept), rows, sum(i < table.names for i in kept))


def _notes(model: ComparedModel) -> Iterator[Text]:
    told = list(tables.notes(model))
    if not told:
        return
    yield _styled(f"\n{model.name}\n", "bold")
    for severity, sentence in told[:_MOST_NOTES]:
        yield _styled(f"  {severity} ", STYLES[severity]).append(f"{sentence}\n", style="default")
    if len(told) > _MOST_NOTES:
        yield _styled(f"  and {len(told) - _MOST_NOTES} more: see --json or --html\n", "dim")


def _details(comparison: Comparison, width: int) -> Iterator[tuple[str, Table]]:
    if 0 < len(comparison.pairs) <= _MOST_PAIRS:
        yield "judged by each other", tables.pair_table(comparison)
    operators = tables.operator_table(comparison, only_different=True, most=_MOST_OPERATORS)
    if operators.rows and _COLUMN * len(operators.headings) <= width:
        yield "operators that differ", operators


def _styled(text: str, style: str) -> Text:
    from rich.text import Text

    return Text(text, style=style)
