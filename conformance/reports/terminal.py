"""Results on a terminal: one as sentences and tables, several as one table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from assay.conformance.reports import wording
from assay.conformance.reports.readings import Parity, reading_of
from assay.conformance.reports.sentences import finding_sentence, measured_sentence, verdict_sentence
from assay.conformance.reports.summary import GROUPS, Named, Row, label, source_of, summary_row, tally
from assay.conformance.reports.tables import Table, relation_table, table_of, worst_outputs
from assay.conformance.result import CheckResult, Finding, Result, Verdict

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

STYLES = {
    "pass": "bold green",
    "fail": "bold red",
    "inconclusive": "bold yellow",
    "error": "red",
    "warning": "yellow",
    "info": "cyan",
}
_WORST = 5
_WIDEST_WORD = 13
_NOTHING = "-"


def render_result(result: Result, console: Console) -> None:
    """Print one result: the verdict, each check with its findings, and the measurements that need a table."""
    console.print(_title(result))
    console.print(_checks(result))
    for check in result.checks:
        for table in _tables(check):
            console.print()
            console.print(_styled(label(check), "bold"))
            console.print(grid(table))


def render_summary(results: Named, console: Console) -> None:
    """Print one table with one row a model."""
    rows = [summary_row(name, result) for name, result in results]
    if rows:
        wide = _wide_summary(rows)
        console.print(wide if fits(wide, console) else _narrow_summary(rows))
    console.print(_styled(tally(results), "bold"))


def _title(result: Result) -> Text:
    source = wording.listed([source_of(result), _plain(result.reference.get("source"))], ", ")
    name = _plain(result.model.name) or "model"
    line = _styled(f"{name} {verdict_sentence(result)}", STYLES[result.verdict.value])
    return line.append(f"\nsource: {source}", style="dim") if source else line


def _plain(value: object) -> str | None:
    return None if value is None else wording.plain(value)


def _checks(result: Result) -> Grid:
    grid = _bare_grid()
    for check in result.checks:
        word = check.verdict.value
        grid.add_row(
            _styled(word, STYLES[word]), _styled(label(check), "bold"), _styled(measured_sentence(check) or "", "")
        )
        for finding in check.findings:
            grid.add_row("", "", _finding(finding))
    return grid


def _finding(finding: Finding) -> Text:
    """The sentence with the evidence beside it; measured numbers are in the sentence already, or in the table below."""
    line = _styled(finding.severity, STYLES[finding.severity]).append(f" {finding_sentence(finding)}", style="default")
    told = {name: value for name, value in finding.evidence.items() if name not in finding.location}
    evidence = wording.pairs({name: value for name, value in told.items() if not isinstance(value, float)})
    return line.append(f"; {evidence}", style="dim") if evidence else line


def _tables(check: CheckResult) -> Iterator[Table]:
    reading = reading_of(check)
    if not isinstance(reading, Parity):
        shown = [table_of(check)]
    elif check.verdict is not Verdict.PASS:
        shown = [worst_outputs(reading, _WORST), relation_table(reading, broken=True)]
    else:
        shown = []
    yield from (table for table in shown if table and table.rows)


def _bare_grid() -> Grid:
    from rich.table import Table as Grid

    grid = Grid.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold", max_width=24)
    grid.add_column(overflow="fold")
    return grid


def _ruled_grid() -> Grid:
    from rich import box
    from rich.table import Table as Grid

    return Grid(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold", pad_edge=False)


def grid(table: Table) -> Grid:
    """The table as rich draws it; a cell that is a verdict or severity has its colour."""
    drawn = _ruled_grid()
    for index, heading in enumerate(table.headings):
        narrowest = _longest_word([heading, *(row[index] for row in table.rows)])
        justify: Literal["left", "right"] = "left" if index < table.names else "right"
        drawn.add_column(heading, justify=justify, overflow="fold", min_width=narrowest)
    for row in table.rows:
        drawn.add_row(*(_styled(cell or _NOTHING, STYLES.get(cell or "", "")) for cell in row))
    return drawn


def _longest_word(cells: Iterable[str | None]) -> int:
    """The width at which no word of these cells is broken, as far as that is not too much."""
    return min(_WIDEST_WORD, max((len(word) for cell in cells for word in (cell or "").split()), default=0))


def _wide_summary(rows: list[Row]) -> Grid:
    """Every value in a column of its own."""
    grid = _ruled_grid()
    columns = [column for group in GROUPS for column in group]
    for column in columns:
        grid.add_column(column.heading, overflow="fold")
    for row in rows:
        grid.add_row(*(_cell(row, column.cell(row)) for column in columns))
    return grid


def fits(grid: Grid, console: Console) -> bool:
    """Whether nothing has to be folded."""
    from rich.measure import Measurement

    unbounded = console.options.update(max_width=10_000)
    return Measurement.get(console, unbounded, grid).maximum <= console.width


def _narrow_summary(rows: list[Row]) -> Grid:
    """Columns that belong together are stacked, lint under the verdict; only the names may wrap."""
    grid = _ruled_grid()
    names, verdict, parity, scores, times, lint, peer = GROUPS
    groups = (names, (*verdict, *lint), parity, scores, times, peer)
    for group in groups:
        grid.add_column("\n".join(column.heading for column in group), overflow="fold", no_wrap=group is not names)
    for row in rows:
        grid.add_row(*(_stacked([_cell(row, column.cell(row)) for column in group]) for group in groups))
        grid.add_section()
    return grid


def _cell(row: Row, text: str | None) -> Text:
    return _styled(text or _NOTHING, STYLES[row.verdict] if text == row.verdict else "")


def _stacked(cells: list[Text]) -> Text:
    """The cells that say something below each other, the parts of a list too."""
    said = [cell for cell in cells if cell.plain != _NOTHING] or cells[:1]
    return _styled("\n", "").join(part for cell in said for part in cell.split(", "))


def _styled(text: str, style: str) -> Text:
    from rich.text import Text

    return Text(text, style=style)
