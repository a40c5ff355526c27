"""Relations between probes are told by every renderer: how many there are, and which do not hold."""

from __future__ import annotations

import io

from rich.console import Console

from assay.conformance.reports import render_html, render_markdown, render_terminal
from assay.conformance.result import Result


def terminal(result: Result) -> str:
    console = Console(file=io.StringIO(), width=240)
    render_terminal(result, console)
    assert isinstance(console.file, io.StringIO)
    return " ".join(console.file.getvalue().split())


def test_a_terminal_counts_them_and_shows_those_that_are_broken(passing: Result, failing: Result) -> None:
    assert "2 relations (1 not judged)" in terminal(passing)
    told = terminal(failing)
    assert "2 relations (1 broken, 1 not judged)" in told
    assert "other rows are beside it batch-5 batch-1 logits broken 50 50 3 0" in told
    assert "rows are in another order" not in told


def test_a_page_shows_them_all(passing: Result, failing: Result) -> None:
    for result, status in ((passing, "held"), (failing, "broken")):
        page = render_html([("digits", result)])
        assert "relations between probes" in page
        row = page.partition("other rows are beside it")[2].partition("</tr>")[0]
        assert f">{status}<" in row
        assert "rows are in another order" in page


def test_markdown_counts_those_that_are_not_held(passing: Result, failing: Result) -> None:
    assert "1 relation broken" in render_markdown([("digits", failing)])
    assert "relation" not in render_markdown([("digits", passing)])
