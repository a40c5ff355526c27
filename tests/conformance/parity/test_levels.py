"""A level says what it runs; the quick one runs little and says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from judging import Command
from onnx import parser

from assay import AssayError, Verdict, check
from assay.conformance.parity.levels import LEVELS, level_of

TEXT = '<ir_version: 8, opset_import: ["" : 17]> g (float[n,6] x) => (float[n,6] y) { y = Relu(x) }'


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "m.onnx").write_bytes(parser.parse_model(TEXT).SerializeToString())
    return tmp_path / "m.onnx"


def test_the_quick_level_runs_few_probes_and_says_that_it_proves_less(model: Path) -> None:
    result = check(model, model, level="quick")
    assert result.verdict is Verdict.PASS
    measured = result.checks[0].measurements
    assert len(measured["probes"]) <= 8
    assert measured["probes"][0]["name"] == "typical"
    assert [setting["name"] for setting in measured["settings"]] == ["without graph optimization"]
    assert measured["level"]["name"] == "quick"
    assert measured["level"]["proves"].startswith("less than the default level")


def test_the_default_level_sweeps_every_setting(model: Path) -> None:
    measured = check(model, model).checks[0].measurements
    assert measured["level"]["name"] == "default"
    assert len(measured["settings"]) == len(LEVELS["default"].settings) == 4


def test_a_level_that_is_none_is_refused_before_anything_runs(model: Path) -> None:
    with pytest.raises(AssayError, match="no level 'deep', but there are quick, default, thorough"):
        check(model, model, level="deep")
    assert level_of("thorough").repeats == 20


def test_the_command_says_the_level(model: Path, assay: Command) -> None:
    ran = assay("check", model, "--reference", model, "--quick")
    assert ran.status == 0
    assert "level quick" in ran.stdout
    assert assay("check", model, "--reference", model, "--level", "deep").status == 2
