"""A search finds what the designed probes miss, leaves a healthy model alone, and tries the same inputs each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch_models
from judging import Command
from onnx import parser

from assay import Bundle, Result, Verdict, check, convert
from assay.conformance.parity.probes import Probe, make_probes
from assay.conformance.parity.search import Attempt, Effort, Search, search
from assay.conformance.parity.search_space import Space
from assay.conformance.result import Finding
from assay.specs.interface import Interface, parse_specs, with_roles

SECONDS = 30.0  # the most that a search may take here; it ends with what it finds
HEAD = '<ir_version: 8, opset_import: ["" : 17]>'


def written(text: str, path: Path, **weights: Any) -> Path:
    model = parser.parse_model(f"{HEAD} {text}")
    for name, array in weights.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(array), name))
    path.write_bytes(model.SerializeToString())
    return path


def counterexample(result: Result) -> Finding:
    assert result.verdict is Verdict.FAIL
    (finding,) = [finding for finding in result.checks[0].findings if finding.severity == "error"]
    assert finding.code == "PA028"
    return finding


def probed_and_searched(model: Path, source: Path, inputs: dict[str, str]) -> Finding:
    """The finding of a search; the probes alone pass."""
    assert check(model, source, inputs=inputs).verdict is Verdict.PASS
    return counterexample(check(model, source, inputs=inputs, search=SECONDS))


def test_a_relu6_for_a_relu_is_found_within_the_range(tmp_path: Path) -> None:
    """It takes the first value at the high end of its range and the second at the low end, in one row of a few."""
    text = "g (float[n,4] x) => (float[n,1] y) { z = MatMul (x, w) %s }"
    weights = np.array([[6.5], [-6.5], [-6.5], [6.5]], np.float32) / 2
    bounds = {"lowest": np.float32(0), "six": np.float32(6)}
    source = written(text % "y = Relu (z)", tmp_path / "source.onnx", w=weights)
    model = written(text % "y = Clip (z, lowest, six)", tmp_path / "model.onnx", w=weights, **bounds)
    finding = probed_and_searched(model, source, {"x": "float32[n,4] in 0..1"})
    assert finding.message.startswith("search #")
    assert finding.evidence["found"] == "PA001"


def test_a_branch_that_is_wrong_at_one_size_is_found(tmp_path: Path) -> None:
    text = """g (float[n] x) => (float[n] y) <int64[1] square = {%s}> {
        shape = Shape (x) area = Mul (shape, shape) here = Equal (area, square)
        more = Cast <to = 1> (here) y = Add (x, more)
    }"""
    source = written(text % -1, tmp_path / "source.onnx")
    model = written(text % 44**2, tmp_path / "model.onnx")
    finding = probed_and_searched(model, source, {"x": "float32[n]"})
    assert "search #" in finding.location["probe"]


def test_a_wrong_row_of_a_large_embedding_is_found(tmp_path: Path) -> None:
    table = np.random.default_rng(0).normal(size=(50_000, 4)).astype(np.float32)
    wrong = table.copy()
    wrong[31_415] *= 1.01
    text = "g (int64[n,t] ids) => (float[n,t,4] y) { y = Gather (table, ids) }"
    source, model = (
        written(text, tmp_path / f"{name}.onnx", table=array) for name, array in (("source", table), ("model", wrong))
    )
    probed_and_searched(model, source, {"ids": "int64[n,t] in 0..49999"})


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    inputs = {"x": "float32[batch,6]"}
    return convert(torch_models.encoder(), tmp_path_factory.mktemp("search") / "bundle", inputs=inputs)


def test_a_healthy_model_withstands_it(healthy: Bundle) -> None:
    result = check(healthy, torch_models.encoder(), search=2)
    assert (result.verdict, result.checks[0].findings) == (Verdict.PASS, ())
    measured = result.checks[0].measurements
    assert measured["search"]["tried"] > 3
    assert measured["search"]["worst_ratio"] <= 8
    assert measured["probes"][-1]["name"] == measured["search"]["worst_probe"]


def test_a_model_that_has_failed_already_is_not_searched(tmp_path: Path) -> None:
    text = "g (float[n,4] x) => (float[n,4] y) { y = %s (x) }"
    source, model = (written(text % op, tmp_path / f"{op}.onnx") for op in ("Relu", "Abs"))
    result = check(model, source, search=SECONDS)
    assert "PA001" in {finding.code for finding in result.checks[0].findings}
    assert "search" not in result.checks[0].measurements


def test_the_command_tells_the_input_that_it_found(healthy: Bundle, assay: Command) -> None:
    reference = f"{torch_models.__name__}:encoder"
    ran = assay("check", healthy.path, "--reference", reference, "--search", "1")
    assert ran.status == 0
    assert assay("check", healthy.path, "--reference", reference, "--search", "-1").status == 2


SPECS = {"image": "float32[batch,3,height,width] in 0..255", "ids": "int64[batch,t] in 5..90", "mask": "int64[batch,t]"}
INTERFACE = Interface(with_roles(parse_specs(SPECS), {"mask": "attention_mask"}))


def tried(effort: Effort, ratio: float = 1.0, status: str = "judged") -> tuple[Search, list[Probe]]:
    probes: list[Probe] = []

    def attempt(probe: Probe) -> tuple[Attempt, dict[str, Any], list[Finding]]:
        probes.append(probe)
        row = {"status": status, "outputs": [{"ratio": ratio}]}
        return Attempt(0, 0, None, {}, ()), row, []

    return search(INTERFACE, make_probes(INTERFACE), attempt, effort), probes


def test_the_same_seed_tries_the_same_inputs() -> None:
    (_, first), (_, again), (_, other) = (tried(Effort(60, 80, seed)) for seed in (1, 1, 2))
    assert len(first) == 80
    assert all(np.array_equal(a.feeds[n], b.feeds[n]) for a, b in zip(first, again, strict=True) for n in SPECS)
    assert not all(np.array_equal(a.feeds[n], b.feeds[n]) for a, b in zip(first, other, strict=True) for n in SPECS)


def test_inputs_keep_to_ranges_axes_and_masks() -> None:
    _, probes = tried(Effort(60, 200))
    for feeds in (probe.feeds for probe in probes):
        image, ids, mask = (feeds[name] for name in SPECS)
        assert [array.dtype.name for array in (image, ids, mask)] == ["float32", "int64", "int64"]
        assert image.min() >= 0
        assert image.max() <= 255
        assert ids.min() >= 5
        assert ids.max() <= 90
        assert ids.shape == mask.shape == (image.shape[0], ids.shape[1])
        assert set(np.unique(mask)) <= {0, 1}
        assert (mask.sum(axis=-1) >= 1).all()
    assert len({probe.feeds["ids"].shape for probe in probes}) > 20


def test_the_probes_come_first_as_they_are() -> None:
    origins = make_probes(INTERFACE)
    space = Space(INTERFACE, origins, 0)
    for index, genes in enumerate(space.start(24)[: min(len(origins), 12)]):
        assert all(np.array_equal(space.probe(genes).feeds[n], origins[index].feeds[n]) for n in SPECS)


def test_it_ends_with_its_time_or_its_inputs() -> None:
    found, probes = tried(Effort(60, 30))
    assert (found.tried, len(probes)) == (30, 30)
    assert tried(Effort(0.3))[0].seconds < 5


def test_a_source_that_takes_nothing_leaves_nothing_to_find() -> None:
    found, _ = tried(Effort(60, 40), status="refused by the source")
    assert (found.tried, found.refused, found.worst, found.findings()) == (40, 40, None, [])
