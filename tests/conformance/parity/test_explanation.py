"""A failure is explained, repaired and reproduced; whatever hinders that is a sentence, and no verdict moves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from onnx import numpy_helper
from tiny_onnx import classifier, write

from assay import Finding, Verdict
from assay.conformance.parity import check, explanation
from assay.converters.files import UnwritableError, read_model

HANG = "a model that hangs is not run again"


@pytest.fixture
def healthy(tmp_path: Path) -> Path:
    return classifier(tmp_path / "healthy.onnx")


@pytest.fixture
def wrong(healthy: Path, tmp_path: Path) -> Path:
    """The classifier with weights of its second layer one per cent too large."""
    model = read_model(healthy)
    value = model.graph.initializers["w2"]
    assert value.const_value is not None
    value.const_value = ir.tensor(value.const_value.numpy() * np.float32(1.01), name="w2")
    ir.save(model, tmp_path / "wrong.onnx")
    return tmp_path / "wrong.onnx"


def test_a_failure_gets_its_place_and_its_name(healthy: Path, wrong: Path) -> None:
    told = check(wrong, healthy).checks[0]
    assert told.findings[0].location["node"] == "second"
    assert [(f.code, f.severity, f.message) for f in told.findings[1:]] == [
        ("PA026", "info", "MatMul second is the first node that differs from the source"),
        ("PA027", "info", "weight w2 is scaled by 1.01"),
    ]
    place = told.measurements["localisation"]
    assert (place["node"], place["op"], place["value"]) == ("second", "MatMul", "logits")


def test_a_model_that_passes_is_not_explained(healthy: Path) -> None:
    assert "localisation" not in check(healthy, healthy).checks[0].measurements


def test_trouble_on_the_way_is_a_sentence(healthy: Path, wrong: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: Any) -> None:
        raise ZeroDivisionError("no such luck")

    monkeypatch.setattr(explanation, "localise", broken)
    result = check(wrong, healthy)
    assert result.verdict is Verdict.FAIL
    assert result.checks[0].measurements["localisation"] == {"reason": "ZeroDivisionError: no such luck"}


def test_a_model_that_hangs_is_left_alone(healthy: Path, wrong: Path) -> None:
    from assay.conformance.candidate import open_candidate

    told = check(wrong, healthy).checks[0]
    hanging = told.model_copy(update={"findings": (Finding(code="PA008", severity="error", message="hangs"),)})
    assert explanation.explain(None, open_candidate(wrong), hanging).reason == HANG  # type: ignore[arg-type]


def test_the_repaired_model_passes(healthy: Path, wrong: Path, tmp_path: Path) -> None:
    result = check(wrong, healthy, repair=tmp_path / "mended.onnx")
    assert result.verdict is Verdict.FAIL
    assert result.checks[0].measurements["repair"]["mended"] == ["weight w2 is scaled by 1.01"]
    assert check(tmp_path / "mended.onnx", healthy).verdict is Verdict.PASS


def test_two_faults_are_mended_one_after_the_other(healthy: Path, wrong: Path, tmp_path: Path) -> None:
    model = read_model(wrong)
    model.graph.node("relu").op_type = "Softplus"
    ir.save(model, wrong)
    told = check(wrong, healthy, repair=tmp_path / "mended").checks[0].measurements["repair"]
    assert told["mended"] == ["relu is Softplus, but should be Relu", "weight w2 is scaled by 1.01"]
    assert check(tmp_path / "mended", healthy).verdict is Verdict.PASS


def test_where_nothing_can_be_mended_nothing_is_written(tmp_path: Path) -> None:
    healthy = write("g (float[batch,6] x) => (float[batch,6] y) { y = Relu(x) }", tmp_path / "h.onnx")
    wrong = write("g (float[batch,6] x) => (float[batch,6] z) { z = Neg(x) }", tmp_path / "w.onnx")
    told = check(wrong, healthy, repair=tmp_path / "mended.onnx").checks[0].measurements
    assert ("output" in told["repair"]) == (tmp_path / "mended.onnx").exists()
    assert told["repair"].get("reason", "the model is not repaired").startswith("the model is not repaired")


def test_what_lies_in_the_way_is_not_overwritten(healthy: Path, wrong: Path, tmp_path: Path) -> None:
    for orders in ({"repair": tmp_path}, {"repro": tmp_path}):
        with pytest.raises(UnwritableError):
            check(wrong, healthy, **orders)  # type: ignore[arg-type]


def test_the_minimal_case_is_one_node_with_the_right_answer(healthy: Path, wrong: Path, tmp_path: Path) -> None:
    folder = tmp_path / "case"
    check(wrong, healthy, repro=folder)
    model = onnx.load(folder / "model.onnx")
    x, right = (
        numpy_helper.to_array(onnx.load_tensor(folder / f"test_data_set_0/{n}_0.pb")) for n in ("input", "output")
    )
    w2 = read_model(healthy).graph.initializers["w2"].const_value
    assert [node.op_type for node in model.graph.node] == ["MatMul"]
    assert w2 is not None
    assert np.allclose(x @ w2.numpy(), right, rtol=1e-5)
    ran = subprocess.run([sys.executable, "run.py"], cwd=folder, capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("logits\nis\n")
    issue = (folder / "issue.md").read_text(encoding="utf-8")
    assert issue.startswith("# weight w2 is scaled by 1.01\n")
    assert f"- onnx {onnx.__version__}" in issue
    assert str(tmp_path) not in issue
