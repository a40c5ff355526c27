"""Results on a terminal: sentences and tables within the width, plain text where there is no terminal."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from rich.cells import cell_len
from rich.console import Console

from assay.conformance.reports import render_summary, render_terminal
from assay.conformance.result import CheckResult, Finding, ModelFiles, Result, Verdict


def printed(render: Callable[[Console], None], width: int, **options: bool) -> str:
    console = Console(file=io.StringIO(), width=width, **options)  # type: ignore[arg-type]
    render(console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("width", [80, 100, 160])
def test_no_line_is_wider_than_the_terminal(passing: Result, failing: Result, empty: Result, width: int) -> None:
    results = [("digits", passing), ("a_very_long_model_name_" * 4, failing), ("nothing", empty)]
    texts = [printed(lambda console: render_summary(results, console), width)]
    texts += [printed(lambda console, it=result: render_terminal(it, console), width) for _, result in results]  # type: ignore[misc]
    assert max(cell_len(line) for text in texts for line in text.splitlines()) <= width


@pytest.mark.parametrize("width", [80, 160])
def test_the_summary_loses_no_figure(passing: Result, width: int) -> None:
    text = printed(lambda console: render_summary([("digits", passing)], console), width)
    told = ["digits", "pytorch module", "pass", "1.7x floor", "98.6%", "95.3%", "0.137 ms", "0.164 ms", "1 warning"]
    told += ["3.3x floor", "1.25x time", "1 model: 1 pass"]
    assert [phrase for phrase in told if phrase not in text] == []


def test_a_wide_terminal_has_one_line_a_model(passing: Result, empty: Result) -> None:
    text = printed(lambda console: render_summary([("digits", passing), ("nothing", empty)], console), 160)
    assert [line.split()[0] for line in text.splitlines()[2:4]] == ["digits", "nothing"]


def test_no_colour_where_there_is_no_terminal(failing: Result) -> None:
    assert "\x1b" not in printed(lambda console: render_terminal(failing, console), 80)
    assert "\x1b" in printed(lambda console: render_terminal(failing, console), 80, force_terminal=True)


def test_a_failure_reads_as_a_sentence(failing: Result) -> None:
    text = flat(printed(lambda console: render_terminal(failing, console), 200))
    assert "model fails at parity" in text
    sentence = (
        "error PA001: output logits is not finite on probe batch-5, but should be finite (output: logits); value: nan"
    )
    assert sentence in text
    assert "inconclusive parity[cuda] error PA009: the worker died of signal 9" in text


def test_a_failed_parity_shows_its_worst_outputs_first(failing: Result) -> None:
    lines = printed(lambda console: render_terminal(failing, console), 120).splitlines()
    rows = [line.split() for line in lines if line.startswith("batch-")]
    assert [row[:2] for row in rows[:2]] == [["batch-5", "logits"], ["batch-5", "features"]]


def test_probes_that_the_source_refuses_are_not_counted_as_judged(failing: Result) -> None:
    text = flat(printed(lambda console: render_terminal(failing, console), 200))
    assert "2 of 3 probes (the source refuses 1)" in text


def test_a_number_that_the_sentence_has_is_not_said_again() -> None:
    finding = Finding(
        code="PA001",
        severity="error",
        message="is 47.5 off",
        location={"output": "logits"},
        evidence={"output": "logits", "ratio": 47.5, "blame": "export"},
    )
    check = CheckResult(check="parity", verdict=Verdict.FAIL, findings=(finding,))
    result = Result.of([check], ModelFiles(files=()), {}, {})
    text = printed(lambda console: render_terminal(result, console), 120)
    assert "PA001: is 47.5 off (output: logits); blame: export" in text
    assert "ratio" not in text


def test_markup_and_control_characters_are_text() -> None:
    finding = Finding(code="PA001", severity="error", message="[red]x[/red] \x1b[31mred\nnext")
    check = CheckResult(check="[bold]", verdict=Verdict.FAIL, findings=(finding,))
    result = Result.of([check], ModelFiles(files=(), name="[link=x]"), {}, {})
    text = printed(lambda console: render_terminal(result, console), 120)
    assert "[red]x[/red] \\x1b[31mred next" in text
    assert "[link=x] fails at [bold]" in text


def test_no_result_prints_no_table() -> None:
    assert printed(lambda console: render_summary([], console), 80) == "no model was judged\n"
