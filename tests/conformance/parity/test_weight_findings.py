"""The check fails a weight that is not the source's, though no probe shows it; what the source computes passes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper, parser

from assay import Verdict, check, convert
from assay.conformance.candidate import open_candidate
from assay.conformance.parity import weight_findings
from assay.conformance.parity.weight_findings import Auditor
from assay.conformance.result import CheckResult
from assay.converters.bundle import Bundle
from assay.converters.sources import open_source

ROWS, WIDTH = 400, 12
INPUTS = {"ids": f"int64[batch,3] in 0..{ROWS - 1}"}
FLOATS = {"x": "float32[batch,24]"}


class Table(torch.nn.Module):
    """An embedding of more rows than probes have room for."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table = torch.nn.Embedding(ROWS, WIDTH)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.table(ids).mean(dim=1)  # type: ignore[no-any-return]


class Masked(torch.nn.Module):
    """The weight that is used is computed: pruned by a mask, or its mean taken away."""

    mask: torch.Tensor

    def __init__(self, centred: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.weight = torch.nn.Parameter(torch.randn(32, 24))
        self.centred = centred
        self.register_buffer("mask", (torch.rand(32, 24) > 0.1).float())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight = self.weight - 1e-4 * self.weight.square() if self.centred else self.weight * self.mask
        return x @ weight.T


def with_constant(model: Path, target: Path, change: Any, constant: str | None = None) -> Path:
    proto = onnx.load(model)
    largest = max(proto.graph.initializer, key=lambda tensor: int(np.prod(tensor.dims)))
    chosen = next((t for t in proto.graph.initializer if t.name == constant), largest)
    array = numpy_helper.to_array(chosen).copy()
    chosen.CopyFrom(numpy_helper.from_array(change(array), chosen.name))
    onnx.save(proto, target)
    return target


def weight_findings_of(checked: CheckResult) -> list[tuple[str, str]]:
    return [(f.severity, f.message) for f in checked.findings if f.code == "PA030"]


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return convert(Table(), tmp_path / "bundle", inputs=INPUTS)


def noisy(array: np.ndarray) -> np.ndarray:
    moved: np.ndarray = array * (1 + 3e-7 * np.random.default_rng(1).standard_normal(array.shape))
    return moved.astype(array.dtype)


def with_another_largest(array: np.ndarray) -> np.ndarray:
    changed: np.ndarray = np.where(array == array.max(), -array, array)
    return changed


@pytest.mark.parametrize("level", ["quick", "default"])
def test_noise_that_outputs_hide_fails(level: str, bundle: Bundle, tmp_path: Path) -> None:
    result = check(with_constant(bundle.model, tmp_path / "noisy.onnx", noisy), Table(), inputs=INPUTS, level=level)
    (finding,) = [finding for finding in result.checks[0].findings if finding.code == "PA030"]
    assert (result.verdict, finding.severity) == (Verdict.FAIL, "error")
    assert finding.evidence["blame"] == "export"
    assert "carries noise of 3e-07" in finding.message
    assert finding.message.endswith("but should be the source's table.weight")


def test_a_faithful_model_passes_and_its_weights_are_counted(bundle: Bundle) -> None:
    result = check(bundle, Table(), inputs=INPUTS)
    assert result.verdict is Verdict.PASS
    assert result.checks[0].measurements["weights"]["equal"] == 1


@pytest.mark.parametrize("centred", [False, True])
def test_a_weight_that_the_source_computes_is_folded_without_alarm(centred: bool, tmp_path: Path) -> None:
    module = Masked(centred)
    bundle = convert(module, tmp_path / "bundle", inputs=FLOATS)
    folded = tmp_path / "folded.onnx"
    fold(bundle.model, folded, module)
    result = check(folded, module, inputs=FLOATS)
    assert (result.verdict, weight_findings_of(result.checks[0])) == (Verdict.PASS, [])


def fold(model: Path, target: Path, module: Masked) -> None:
    """The graph with the computed weight as its only constant."""
    x = torch.eye(24)
    weight = module(x).detach().numpy()
    text = '<ir_version: 8, opset_import: ["" : 17]> g (float[batch,24] x) => (float[batch,32] y) { y = MatMul(x, w) }'
    proto = parser.parse_model(text)
    names = [value.name for value in onnx.load(model, load_external_data=False).graph.output]
    proto.graph.output[0].name = proto.graph.node[0].output[0] = names[0]
    proto.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(weight), "w"))
    onnx.save(proto, target)


def test_constants_that_an_onnx_source_computes_are_folded_without_alarm(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    weight, mask = rng.standard_normal((24, 32)).astype(np.float32), (rng.random((24, 32)) > 0.1).astype(np.float32)
    header = '<ir_version: 8, opset_import: ["" : 17]> g (float[batch,24] x) => (float[batch,32] y)'
    bodies = "{ w = Mul(v, m) y = MatMul(x, w) }", "{ y = MatMul(x, w) }"
    source, folded = (parser.parse_model(f"{header} {body}") for body in bodies)
    source.graph.initializer.extend([numpy_helper.from_array(weight, "v"), numpy_helper.from_array(mask, "m")])
    folded.graph.initializer.append(numpy_helper.from_array(weight * mask, "w"))
    paths = tmp_path / "source.onnx", tmp_path / "folded.onnx"
    for model, path in zip((source, folded), paths, strict=True):
        onnx.save(model, path)
    assert check(paths[1], paths[0]).verdict is Verdict.PASS
    wrong = with_constant(paths[1], tmp_path / "wrong.onnx", with_another_largest)
    assert weight_findings_of(check(wrong, paths[0]).checks[0])[0][0] == "error"


def test_one_audit_serves_every_provider(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    source, candidate = open_source(Table(), INPUTS), open_candidate(bundle)
    auditor = Auditor(source)
    first = auditor.findings(candidate, None)
    monkeypatch.setattr(weight_findings, "audit", None)
    assert auditor.findings(candidate, None) == first
    assert auditor.findings(open_candidate(bundle), None) != first


def test_an_audit_that_breaks_is_told(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("in the audit")

    monkeypatch.setattr(weight_findings, "audit", broken)
    findings, measured = Auditor(open_source(Table(), INPUTS)).findings(open_candidate(bundle), None)
    assert [(finding.severity, finding.message) for finding in findings] == [("warning", measured["reason"])]
    assert "ZeroDivisionError: in the audit" in measured["reason"]


def test_a_source_in_another_process_is_audited_there(bundle: Bundle, tmp_path: Path) -> None:
    wrong = with_constant(bundle.model, tmp_path / "noisy.onnx", noisy)
    result = check(wrong, bundle.model)
    assert weight_findings_of(result.checks[0])[0][0] == "error"
