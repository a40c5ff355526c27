"""Each rule has a model that keeps it and one or more that break it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from lint_models import Save, write_model

from assay.conformance.lint import lint


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Write a model to a folder of the test's own."""
    return partial(write_model, tmp_path)


class Case(NamedTuple):
    """A rule, a graph that keeps it, and one that breaks it; options of the model."""

    code: str
    kept: str
    broken: str
    options: dict[str, Any] = {}  # noqa: RUF012 - never written to


def graph(inputs: str, outputs: str, body: str, weights: str = "") -> str:
    """The text of one graph."""
    return f"g ({inputs}) => ({outputs}) {f'<{weights}>' if weights else ''} {{ {body} }}"


RELU = graph("float[batch,3] x", "float[batch,3] y", "y = Relu(x)")
IMAGE_METADATA = {"assay.profile": "1.0", "assay.task": "image-classification", "assay.source.sha256": "0" * 64}
IMAGE = {"metadata": IMAGE_METADATA}
CLASSIFIER = "y = GlobalAveragePool(pixel_values) logits = Flatten(y)"
PIXELS, LOGITS = "float[batch,3,height,width] pixel_values", "float[batch,3] logits"
DATA = "float[batch,3,8,8] x"
QDQ = "q = QuantizeLinear(x, scale, zero) y = DequantizeLinear(q, scale, zero)"
FLOATS = "float[batch,3] x", "float[batch,3] y"


def reshape(target: str, declared: str, data: str = DATA) -> str:
    """A Reshape of the data to a constant target."""
    return graph(data, f"float[{declared}] y", f"t = Constant<value_ints=[{target}]>() r = Relu(x) y = Reshape(r, t)")


def branch(operator: str) -> str:
    """An If with the operator in its first branch."""
    body = (
        f"y = If(c)<then_branch = a () => (float[batch,3] p) {{ p = {operator}(x) }},"
        " else_branch = b () => (float[batch,3] q) { q = Identity(x) }>"
    )
    return graph("float[batch,3] x, bool c", "float[batch,3] y", body)


def quantized(scale: str, zero: str = "int8 zero = {0}") -> str:
    """A QDQ pair with this scale and zero point."""
    return graph(*FLOATS, QDQ, f"float scale = {{{scale}}}, {zero}")


LOCAL_FUNCTION = (
    graph(*FLOATS, "y = local.Twice(x)")
    + '\n<domain: "local", opset_import: ["" : 17]> Twice (a) => (b) { b = Add(a, a) }'
)

CASES = [
    Case("IO001", RELU, graph("float[batch,3] x", "float[batch,3] keras_tensor_12", "keras_tensor_12 = Relu(x)")),
    Case("IO001", RELU, graph('float[batch,3] "a b"', "float[batch,3] y", 'y = Relu("a b")')),
    Case("IO001", RELU, graph("float[batch,3] x", 'float[batch,3] "Call:0"', '"Call:0" = Relu(x)')),
    Case(
        "IO002",
        graph(PIXELS, LOGITS, CLASSIFIER),
        graph(PIXELS, "float[batch,3] z", f"{CLASSIFIER} z = Relu(logits)"),
        IMAGE,
    ),
    Case(
        "IO002",
        graph(PIXELS, LOGITS, CLASSIFIER),
        graph("float[3,height,width] pixel_values", LOGITS, CLASSIFIER),
        IMAGE,
    ),
    Case(
        "IO002",
        graph(PIXELS, LOGITS, CLASSIFIER),
        graph(
            PIXELS,
            "double[batch,3] logits",
            "y = GlobalAveragePool(pixel_values) f = Flatten(y) logits = Cast<to=11>(f)",
        ),
        IMAGE,
    ),
    Case(
        "IO002",
        graph(PIXELS, LOGITS, CLASSIFIER),
        graph(
            f"{PIXELS}, float[1] scale",
            LOGITS,
            "s = Mul(pixel_values, scale) y = GlobalAveragePool(s) logits = Flatten(y)",
        ),
        IMAGE,
    ),
    Case(
        "IO003",
        branch("Relu"),
        graph("float[batch,3] x, float[batch,3] dead", "float[batch,3] y", "z = Relu(dead) y = Relu(x)"),
    ),
    Case(
        "IO004",
        graph("double[batch] x", "double[batch] y", "y = Relu(x)"),
        graph("float[batch] x", "double[batch] y", "y = Cast<to=11>(x)"),
    ),
    Case("SH001", RELU, graph("float[?,3] x", "float[batch,3] y", "y = Relu(x)")),
    Case("SH001", RELU, graph("float[unk__3,3] x", "float[batch,3] y", "y = Relu(x)")),
    Case("SH002", reshape("-1,192", "batch,192"), reshape("2,192", "batch,192")),
    Case("SH002", reshape("0,192", "batch,192"), reshape("2,3,64", "batch,3,64")),
    Case("SH002", reshape("2,192", "2,192", "float[2,3,8,8] x"), reshape("1,192", "1,192")),
    Case("SH003", reshape("-1,192", "batch,192"), reshape("-1,64", "batch,192")),
    Case("SH003", reshape("-1,192", "batch,192"), reshape("-1,192", "batch,3,64")),
    Case("SH003", RELU, graph("float[batch,3] x", "float[2,3] y", "y = Relu(x)")),
    Case("SH004", reshape("-1,64", "n,64"), reshape("6,-1", "6,n")),
    Case("SH004", reshape("0,-1", "batch,192"), reshape("2,-1,8", "2,n,8")),
    Case("OP002", graph(*FLOATS, "y = Erf(x)"), graph(*FLOATS, "y = Erfc(x)")),
    Case("OP002", LOCAL_FUNCTION, graph(*FLOATS, "y = acme.Magic(x)"), {"imports": ', "acme": 1, "local": 1'}),
    Case("OP002", branch("Relu"), branch("Relux")),
    Case(
        "OP003",
        graph(*FLOATS, "y = Dropout(x)"),
        graph(*FLOATS, "r = Constant<value_float=0.5>() y = Dropout(x, r, t)", "bool t = {1}"),
    ),
    Case(
        "OP004",
        graph(*FLOATS, "n = RandomNormalLike<seed=1.0>(x) y = Add(x, n)"),
        graph(*FLOATS, "n = RandomNormalLike(x) y = Add(x, n)"),
    ),
    Case("OP005", RELU, graph(*FLOATS, "y = com.microsoft.nchwc.Relu(x)"), {"imports": ', "com.microsoft.nchwc": 1'}),
    Case("OP006", RELU, graph(*FLOATS, "y = Add(x, nowhere)")),
    Case("OP006", RELU, graph(*FLOATS, "z = Relu(x)")),
    Case("QT001", quantized("0.5"), quantized("0.0")),
    Case("QT001", quantized("0.5"), quantized("-0.5")),
    Case("QT001", quantized("0.5"), quantized("0.5", "int8[2] zero = {0, 0}")),
    Case(
        "QT001",
        graph(
            "int32[batch] x",
            "float[batch] y",
            "y = DequantizeLinear(x, scale, zero)",
            "float scale = {0.5}, int32 zero = {0}",
        ),
        graph(
            "int32[batch] x",
            "float[batch] y",
            "y = DequantizeLinear(x, scale, zero)",
            "float scale = {0.5}, int32 zero = {3}",
        ),
    ),
    Case(
        "QT001",
        graph(
            "uint8[batch] x",
            "float[batch] y",
            "y = DequantizeLinear(x, scale, zero)",
            "float scale = {0.5}, uint8 zero = {3}",
        ),
        graph(
            "uint8[batch] x",
            "float[batch] y",
            "y = DequantizeLinear(x, scale, zero)",
            "float scale = {0.5}, int8 zero = {3}",
        ),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.code}-{i}" for i, case in enumerate(CASES)])
class TestRule:
    """A rule of the profile on two small graphs."""

    def test_the_kept_model_gives_no_finding(self, case: Case, save: Save) -> None:
        assert lint(save(case.kept, **case.options)) == []

    def test_the_broken_model_gives_a_finding_in_the_house_form(self, case: Case, save: Save) -> None:
        found = [finding for finding in lint(save(case.broken, **case.options)) if finding.code == case.code]
        assert found
        assert all(", but should" in finding.message and finding.location for finding in found)
