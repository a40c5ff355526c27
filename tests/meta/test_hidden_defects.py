"""A defect that usual inputs hide is found by the probe that is there for it alone; its healthy twin passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import pytest
import torch
from hidden_defects import DEFECTS, HEADER, Defect

import assay
from assay import CheckResult, Verdict
from assay.conformance.candidate import open_candidate
from assay.conformance.isolation import Worker
from assay.conformance.parity.judge import Judge, check_parity, judge_interface
from assay.conformance.parity.probes import graph_constants

EACH = pytest.mark.parametrize("defect", DEFECTS.values(), ids=DEFECTS)


def failing(check: CheckResult) -> set[str]:
    """The probes on which errors were found."""
    errors = [finding for finding in check.findings if finding.severity == "error"]
    return {name for error in errors for name in (*error.evidence.get("probes", ()), error.location["probe"])}


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker() as opened:
        yield opened


@EACH
def test_the_probe_made_for_it_finds_the_defect(defect: Defect, worker: Worker, tmp_path: Path) -> None:
    model, source = defect.write(tmp_path)
    wrong, healthy = open_candidate(model), open_candidate(tmp_path / "healthy.onnx")
    judge = Judge(source, judge_interface(source, wrong.interface), constants=graph_constants(model))
    check = check_parity(judge, wrong, "cpu", worker)
    assert check.verdict is Verdict.FAIL
    assert failing(check) == defect.only or not defect.only
    assert defect.codes <= {finding.code for finding in check.findings}
    twin = check_parity(judge, healthy, "cpu", worker)
    assert (twin.verdict, twin.findings) == (Verdict.PASS, ())
    assert {relation["status"] for relation in twin.measurements["relations"]} <= {"held", "not judged"}


class Applied(torch.nn.Module):
    """A function as a module: a source with a float64 twin."""

    def __init__(self, function: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


def graph(nodes: str, folder: Path, interface: str = "(float[batch,6] x) => (float[batch,6] output)") -> Path:
    onnx.save(onnx.parser.parse_model(f"{HEADER} g {interface} {{ {nodes} }}"), folder / "model.onnx")
    return folder / "model.onnx"


HALF_UP = "half = Constant<value_float = 0.5>() z = Add(x, half) output = Floor(z)"
COUNTED_ONCE = """ax = Constant<value_ints = [1]>() m = ReduceMax(x, ax) z = Sub(m, m)
    one = Constant<value_float = 1.0>() output = Add(z, one)"""


@pytest.mark.parametrize(
    ("function", "nodes", "only"),
    [
        (torch.round, HALF_UP, {"halves"}),
        (
            lambda x: (x == x.amax(1, keepdim=True)).to(x.dtype).sum(1, keepdim=True),
            COUNTED_ONCE,
            {"lowest", "impulse", "constant rows", "ties", "halves"},
        ),
    ],
    ids=["halves rounded up", "equal largest values counted once"],
)
def test_what_is_decided_among_equals_is_found(
    function: Callable[..., torch.Tensor], nodes: str, only: set[str], tmp_path: Path
) -> None:
    width = 1 if nodes is COUNTED_ONCE else 6
    model = graph(nodes, tmp_path, f"(float[batch,6] x) => (float[batch,{width}] output)")
    (check,) = assay.check(model, Applied(function), inputs={"x": "float32[batch,6]"}).checks
    assert failing(check) == only


class Attention(torch.nn.Module):
    """Attention with a boolean mask; a row of which nothing counts gives 0."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.project = torch.nn.Linear(8, 24)

    def forward(self, x: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        query, key, value = self.project(x)[:, None].chunk(3, -1)
        kept = (attention_mask > 0)[:, None, None, :].expand(-1, -1, x.shape[1], -1)
        return torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=kept)


def test_a_fully_masked_row_of_attention_is_information(tmp_path: Path) -> None:
    """torch gives 0 there and the graph of torch.onnx the mean: nobody feeds it, and everybody should know."""
    from assay.specs.interface import parse_specs, with_roles

    texts = {"x": "float32[batch,seq,8]", "attention_mask": "int64[batch,seq]"}
    inputs = dict(zip(texts, with_roles(parse_specs(texts), {"attention_mask": "attention_mask"}), strict=True))
    bundle = assay.convert(Attention(), tmp_path / "bundle", inputs=inputs, exporter="torch.onnx")
    (check,) = assay.check(bundle, Attention(), inputs=inputs).checks
    assert check.verdict is Verdict.PASS
    (finding,) = check.findings
    assert (finding.severity, finding.location["probe"]) == ("info", "fully masked row")
    (row,) = (probe for probe in check.measurements["probes"] if probe["name"] == "fully masked row")
    assert (row["status"], row["outputs"]) == ("information", [])


class Choosy(torch.nn.Module):
    """Takes rows of 17 alone, though its axis is said to be dynamic."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[1] != 17:
            raise ValueError(f"{x.shape[1]} places, but should be 17")
        return -x


def test_an_axis_that_the_source_takes_at_one_size_alone_leaves_the_verdict_open(tmp_path: Path) -> None:
    model = graph("output = Neg(x)", tmp_path, "(float[batch,seq] x) => (float[batch,seq] output)")
    result = assay.check(model, Choosy(), inputs={"x": "float32[batch,seq]"})
    assert result.verdict is Verdict.INCONCLUSIVE
    (finding,) = result.checks[0].findings
    assert (finding.code, finding.severity, finding.location["axis"]) == ("PA016", "warning", "seq")
    assert "the axis seq is declared dynamic and was judged at its traced size alone" in finding.message
    assert "1 places, but should be 17" in finding.message


def test_nothing_of_random_numbers_is_left_open(tmp_path: Path) -> None:
    """The seed that a result tells gives the probe's inputs again."""
    from assay.converters.examples import typical_feeds
    from assay.specs.interface import parse_specs

    text = {"x": "float32[batch,6]"}
    (check,) = assay.check(graph("output = Neg(x)", tmp_path), Applied(torch.neg), inputs=text).checks
    row = next(probe for probe in check.measurements["probes"] if probe["name"] == "batch=5")
    first, second = (typical_feeds(parse_specs(text), {"batch": 5}, row["seed"]) for _ in range(2))
    np.testing.assert_array_equal(first["x"], second["x"])
