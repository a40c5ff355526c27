"""Markdown: a short table, and why checks do not pass."""

from __future__ import annotations

from assay.conformance.reports import render_markdown
from assay.conformance.result import Result


def test_the_table_has_one_row_a_model(passing: Result, failing: Result, empty: Result) -> None:
    lines = render_markdown([("digits", passing), ("broken", failing), ("nothing", empty)]).splitlines()
    assert lines[0] == "### Assay: 3 models: 1 pass, 1 fail, 1 inconclusive"
    rows = [line for line in lines if line.startswith("| ")]
    assert [row.split(" | ")[0] for row in rows[2:]] == ["| digits<br>pytorch module", "| broken", "| nothing"]
    assert len({row.count(" | ") for row in rows}) == 1
    assert "1.7x floor<br>cpu | 98.6%<br>95.3% | 0.137 ms<br>0.164 ms | 1 warning | 3.3x floor<br>1.25x time" in rows[2]


def test_what_does_not_pass_is_explained(failing: Result, empty: Result) -> None:
    text = render_markdown([("broken", failing), ("nothing", empty)])
    assert "- **broken**, parity\\[cpu\\]: PA001: output logits is not finite" in text
    assert "- **broken**, parity\\[cuda\\]: PA009: the worker died" in text
    assert "- **nothing**: no check ran" in text


def test_names_are_escaped(empty: Result) -> None:
    text = render_markdown([("<b>|*x*|`y`\nz", empty)])
    assert "\\<b\\>\\|\\*x\\*\\|\\`y\\` z" in text


def test_no_result_is_one_line() -> None:
    assert render_markdown([]) == "### Assay: no model was judged\n"
