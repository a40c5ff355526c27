"""Models that are wrong on purpose fail, each by the finding that names its defect; their healthy twin passes."""

from __future__ import annotations

from pathlib import Path

import onnx_ir as ir
import pytest
import torch_models
from judging import Command
from mutations import MUTATIONS, Mutation

import assay as api
from assay import Bundle, Verdict
from assay.converters.files import read_model

QUICK = ("a NaN output", "a dropped output", "a baked batch", "a larger LayerNorm epsilon", "Dropout at run time")
INPUT = {"x": "float32[batch,6]"}
EACH = pytest.mark.parametrize("mutation", MUTATIONS.values(), ids=MUTATIONS)


def quick(name: str) -> tuple[pytest.MarkDecorator, ...]:
    """The command is tried on one model of each finding; on all of them, where there is more time."""
    return () if name in QUICK else (pytest.mark.slow,)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return api.convert(torch_models.encoder(), tmp_path_factory.mktemp("healthy") / "bundle", inputs=INPUT)


def mutant(healthy: Bundle, mutation: Mutation, folder: Path) -> Path:
    model = read_model(healthy.model)
    mutation.change(model)
    ir.save(model, folder / "mutant.onnx")
    return folder / "mutant.onnx"


def test_the_healthy_twin_passes_against_its_source_and_against_itself(healthy: Bundle) -> None:
    for reference in (torch_models.encoder(), healthy):
        result = api.check(healthy, reference)
        assert (result.verdict, result.stage, result.checks[0].findings) == (Verdict.PASS, None, ())


@EACH
def test_a_wrong_model_fails_against_the_source(healthy: Bundle, mutation: Mutation, tmp_path: Path) -> None:
    result = api.check(mutant(healthy, mutation, tmp_path), torch_models.encoder(), inputs=INPUT)
    assert (result.verdict, result.stage) == (Verdict.FAIL, "parity")
    assert mutation.codes <= {finding.code for finding in result.checks[0].findings if finding.severity == "error"}


@pytest.mark.parametrize("mutation", [pytest.param(m, id=name, marks=quick(name)) for name, m in MUTATIONS.items()])
def test_the_command_fails_it_against_the_healthy_model(
    healthy: Bundle, mutation: Mutation, tmp_path: Path, assay: Command
) -> None:
    model = mutant(healthy, mutation, tmp_path)
    ran = assay("check", model, "--reference", healthy.path, "--input", f"x={INPUT['x']}", "--json", "-")
    assert (ran.status, ran.json["verdict"], ran.stderr) == (1, "fail", "")
    found = {finding["code"] for check in ran.json["checks"] for finding in check["findings"]}
    assert mutation.codes <= found
