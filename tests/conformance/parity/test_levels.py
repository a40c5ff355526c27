"""A level says what it runs; the quick one runs little and says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from judging import Command
from onnx import parser

from assay import AssayError, Verdict, check
from assay.conformance.parity.levels import LEVELS, kept_probes, level_of
from assay.conformance.parity.probes import Probe

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


def of_batch(name: str, batch: int) -> Probe:
    return Probe(name, "", {"image": np.zeros((batch, 3, 224, 224), np.float32)})


def test_few_large_probes_are_quick_and_eight_small_ones() -> None:
    large = [of_batch(str(index), 2) for index in range(9)]
    assert [probe.name for probe in kept_probes(level_of("quick"), large)] == ["0", "1", "7", "8"]
    assert len(kept_probes(level_of("default"), large)) == 9
    small = [Probe(str(index), "", {"x": np.zeros((2, 6), np.float32)}) for index in range(30)]
    assert len(kept_probes(level_of("quick"), small)) == 8


def test_a_probe_that_is_too_large_is_left_out_and_the_first_never() -> None:
    probes = [of_batch("typical", 2), of_batch("batch=16", 16), of_batch("batch=1", 1)]
    assert [probe.name for probe in kept_probes(level_of("quick"), probes)] == ["typical", "batch=1"]
    assert [probe.name for probe in kept_probes(level_of("quick"), probes[:1])] == ["typical"]
