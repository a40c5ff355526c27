"""A comparison on the page and on the terminal: well-formed, escaped, and true to the comparison."""

from __future__ import annotations

import io
from typing import Any

from pages import HOSTILE, Page, words
from rich.console import Console

from assay.conformance.comparison.comparison import (
    ComparedModel,
    Comparison,
    Conversion,
    GraphFacts,
    LintCounts,
    OutputParity,
    Pair,
    Parity,
    TensorFacts,
)
from assay.conformance.reports.comparison_heat import MOST_OUTPUTS, heat_map
from assay.conformance.reports.comparison_html import render_comparison_html
from assay.conformance.reports.comparison_terminal import render_comparison
from assay.conformance.result import CheckResult, Finding, Verdict

GATE = {"pass": 8.0, "fail": 20.0}


def graph(**operators: int) -> GraphFacts:
    specs = (TensorFacts(name="x", specification="float32[batch,6]"),)
    counts: dict[str, Any] = {"nodes": sum(operators.values()), "transposes": 0, "parameters": 128, "bytes": 2400}
    return GraphFacts(
        opsets={"ai.onnx": 20}, operators=operators, **counts, inputs=specs, outputs=specs, dynamic_axes=("batch",)
    )


def parity(verdict: Verdict, *outputs: OutputParity, findings: tuple[Finding, ...] = ()) -> Parity:
    worst = max((output.ratio or 0 for output in outputs), default=None)
    return Parity(
        reference="shop:build", verdict=verdict, oracle="float64", gate=GATE, worst_ratio=worst, worst_probe="ramp",
        atol=1.6e-7, probes={"judged": 9}, outputs=outputs, findings=findings
    )  # fmt: skip


def compared(outputs: int = 2, name: str = HOSTILE) -> Comparison:
    """One model that passes, one that lacks an output, one whose name is hostile and that could not be had."""
    right = [OutputParity(name=f"y{i}", verdict=Verdict.PASS, ratio=1.0 + i, max_error=1e-7) for i in range(outputs)]
    finding = Finding(code="PA002", severity="error", message="output y1 is missing", location={"output": "y1"})
    wrong = [right[0], OutputParity(name="y1", verdict=Verdict.FAIL, code="PA002")]
    passed, failed = parity(Verdict.PASS, *right), parity(Verdict.FAIL, *wrong, findings=(finding,))
    conversion = Conversion(exporter="torch.onnx", seconds=1.5, peak_bytes=10**9)
    models = (
        ComparedModel(
            name="ours", source="shop:build", role="candidate", conversion=conversion, graph=graph(Gemm=3, Relu=1),
            lint=LintCounts(severities={"error": 1, "warning": 2, "info": 0}), parity=passed,
        ),
        ComparedModel(
            name="lacking", source="v.onnx", role="candidate", graph=graph(Gemm=2, Nonsense=1), parity=failed
        ),
        ComparedModel(name=name, source=name, role="candidate", reason=f"{name} does not exist"),
    )  # fmt: skip
    return Comparison(
        verdict=Verdict.FAIL, reference={"name": "shop:build", "framework": "pytorch", "kind": "module"},
        provider="cpu", models=models, pairs=(Pair(model="lacking", parity=failed),), latency=latency(),
        environment={"python": "3.11", "packages": {"onnx": "1.20"}},
    )  # fmt: skip


def latency() -> CheckResult:
    times = {"median_ms": 0.5, "median_low": 0.4, "median_high": 0.6, "p95_ms": 0.7, "p95_low": 0.6, "p95_high": 0.9}
    models = [{"name": name, **times, "times_ms": [0.4, 0.5, 0.6]} for name in ("ours", "lacking")]
    ratios = [{"name": "lacking", "ratio": 1.1, "low": 1.0, "high": 1.2}]
    measured = {"threads": 1, "samples": 3, "inputs": {"x": [1, 6]}, "models": models, "ratios": ratios}
    return CheckResult(check="latency", provider="cpu", verdict=Verdict.PASS, measurements=measured)


def printed(comparison: Comparison, width: int = 80) -> str:
    out = io.StringIO()
    render_comparison(comparison, Console(file=out, width=width, highlight=False))
    return out.getvalue()


def test_the_page_is_well_formed_and_needs_nothing_else() -> None:
    page = Page(render_comparison_html(compared()))
    assert page.faults == []
    assert page.tags["script"] == page.tags["link"] == page.tags["img"] == 0
    assert len(page.values("id")) == len(set(page.values("id")))
    assert {href[1:] for href in page.values("href") if href.startswith("#")} <= set(page.values("id"))


def test_the_page_says_what_the_comparison_says() -> None:
    text = words(render_comparison_html(compared()))
    for said in ("3 models against shop:build: 1 passes, 1 fails, 1 is inconclusive", "output y1 is missing", "1.50 s"):
        assert said in text
    assert HOSTILE in text


def test_the_page_is_the_same_for_the_same_comparison() -> None:
    assert render_comparison_html(compared()) == render_comparison_html(compared())


def test_a_comparison_of_nothing_has_a_page_too() -> None:
    nothing = Comparison(
        verdict=Verdict.INCONCLUSIVE, reference={"name": "m"}, provider="cpu", models=(), environment={}
    )
    assert Page(render_comparison_html(nothing)).faults == []
    assert "0 models against m: nothing to judge" in printed(nothing)


def test_the_heat_map_tells_a_breach_in_words_and_shades_by_error() -> None:
    heat = heat_map(compared())
    assert heat is not None
    (ours, lacking, pair) = heat.rows
    assert [cell.text for cell in ours.cells] == ["1.0x", "2.0x"]
    assert ours.cells[0].shade < ours.cells[1].shade < lacking.cells[1].shade
    assert (lacking.cells[1].text, lacking.cells[1].verdict) == ("other outputs", "fail")
    assert (pair.model, heat.by_each_other, heat.omitted) == ("lacking", 1, 0)


def test_of_very_many_outputs_the_worst_are_shown() -> None:
    heat = heat_map(compared(MOST_OUTPUTS + 5))
    assert heat is not None
    assert (len(heat.outputs), heat.omitted) == (MOST_OUTPUTS, 5)
    assert heat.outputs[:2] == ("y1", f"y{MOST_OUTPUTS + 4}")


def test_a_narrow_terminal_gets_several_tables_and_a_wide_one_gets_one() -> None:
    narrow, wide = printed(compared(name="gone")), printed(compared(name="gone"), 200)
    assert max(map(len, narrow.splitlines())) <= 80
    assert (narrow.count("\nmodel "), wide.count("\nmodel ")) == (4, 2)
    for text in (narrow, wide):
        assert "1 error, 2 warnings" in text
        assert "1.10x (1.00 to 1.20)" in text
        assert "warning gone does not exist" in text
        assert text.splitlines()[-1] == "3 models against shop:build: 1 passes, 1 fails, 1 is inconclusive"


def test_operators_that_differ_are_told() -> None:
    lines = [line.split() for line in printed(compared(name="gone")).splitlines()]
    assert ["Gemm", "3", "2"] in lines
    assert ["Nonsense", "-", "1"] in lines
