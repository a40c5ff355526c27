"""Results as short Markdown, for a pull request or the summary of a CI step."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.conformance.reports.sentences import broken_relations, failure_sentence
from assay.conformance.reports.summary import GROUPS, Named, Row, label, summary_row, tally
from assay.conformance.result import Result, Verdict

_MARKS = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.INCONCLUSIVE: "❓"}
_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~$&])")


def render_markdown(results: Named) -> str:
    """A table with one row a model, then why checks do not pass."""
    return "\n".join(_lines(results)) + "\n"


def _lines(results: Named) -> Iterator[str]:
    yield f"### Assay: {tally(results)}"
    if results:
        yield ""
        yield _line(" / ".join(column.heading for column in group) for group in GROUPS)
        yield _line("---" for _ in GROUPS)
        for name, result in results:
            yield _row(summary_row(name, result), result)
    failures = [line for name, result in results for line in _failures(name, result)]
    if failures:
        yield from ("", *failures)


def _row(row: Row, result: Result) -> str:
    cells = (_cell(row, index, result) for index in range(len(GROUPS)))
    return _line(cells)


def _cell(row: Row, index: int, result: Result) -> str:
    parts = [escaped(part) for column in GROUPS[index] if (part := column.cell(row))]
    if row.verdict in parts:
        parts[0] = f"{_MARKS[result.verdict]} **{parts[0]}**"
    return "<br>".join(parts) or "-"


def _line(cells: Iterator[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _failures(name: str, result: Result) -> Iterator[str]:
    for check in result.checks:
        if check.verdict is not Verdict.PASS:
            told = "; ".join(part for part in (failure_sentence(check), broken_relations(check)) if part)
            yield f"- **{escaped(name)}**, {escaped(label(check))}: {escaped(told)}"
    if not result.checks:
        yield f"- **{escaped(name)}**: no check ran"


def escaped(text: str) -> str:
    """A text that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
