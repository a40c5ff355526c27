"""A fault inside Loop or If is named by the first node of the body that is not the source's."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_onnx import write

from assay import Verdict
from assay.conformance.parity import check
from assay.conformance.result import Finding

LOOP = """
g (float[batch,4] x) => (float[batch,4] y)
<int64 trips = {3}, bool on = {1}, float[4] scale = {0.5, 0.7, 0.9, 1.1}>
{
    [first] h = Neg (x)
    [loop] last = Loop (trips, on, h) <body = b (int64 i, bool c, float[batch,4] s) => (bool d, float[batch,4] t)
        { [again] d = Identity (c)  [scaled] m = Mul (s, scale)  [leaky] t = LeakyRelu <alpha: float = 0.2> (m) }>
    [after] y = Add (last, x)
}"""
IF = """
g (float[batch,4] x) => (float[batch,4] y)
<float zero = {0}>
{
    [sum] s = ReduceSum <keepdims: int = 0> (x)
    [positive] p = Greater (s, zero)
    [choice] y = If (p) <
        then_branch = t () => (float[batch,4] a) { [up] a = Exp (x) },
        else_branch = e () => (float[batch,4] b) { [down] b = Tanh (x) }>
}"""
FAULTS = {
    "operator": (LOOP, "m = Mul (", "m = Div (", "in the body of Loop loop, Div scaled is Div, but should be Mul"),
    "attribute": (LOOP, "0.2", "0.3", "in the body of Loop loop, LeakyRelu leaky has alpha 0.3, but should have 0.2"),
    "operand": (
        LOOP,
        "LeakyRelu <alpha: float = 0.2> (m)",
        "LeakyRelu <alpha: float = 0.2> (s)",
        "in the body of Loop loop, LeakyRelu leaky takes s as input 0, but should take m",
    ),
    "branch": (IF, "b = Tanh", "b = Sigmoid", "in the body of If choice, Sigmoid down is Sigmoid, but should be Tanh"),
}


def told(findings: tuple[Finding, ...], code: str) -> list[str]:
    return [finding.message for finding in findings if finding.code == code]


@pytest.mark.parametrize("fault", FAULTS)
def test_the_node_in_the_body_is_named_and_the_body_mended(fault: str, tmp_path: Path) -> None:
    text, right, wrong, sentence = FAULTS[fault]
    source = write(text, tmp_path / "source.onnx")
    model = write(text.replace(right, wrong), tmp_path / "model.onnx")
    result = check(model, source, repair=tmp_path / "mended.onnx")
    findings = result.checks[0].findings
    assert result.verdict is Verdict.FAIL
    assert sentence in told(findings, "PA027")
    (place,) = told(findings, "PA026")
    assert (
        place
        == f"{sentence.split()[4]} {sentence.split()[5].rstrip(',')} is the first node that differs from the source"
    )
    assert check(tmp_path / "mended.onnx", source).verdict is Verdict.PASS
