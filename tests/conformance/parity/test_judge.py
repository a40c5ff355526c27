"""The check as a whole: what it takes from whom, and that nothing hinders it quietly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import torch
import torch_models
from onnx import parser

from assay import AssayError, Bundle, Finding, Result, Verdict, check, convert
from assay.conformance.parity.oracle import Oracle
from assay.converters.sources import open_source
from assay.specs.interface import parse_specs, with_roles
from assay.specs.schemas import validate

X = {"x": "float32[batch,6]"}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return convert(torch_models.encoder(), tmp_path_factory.mktemp("parity") / "bundle", inputs=X)


def written(text: str, path: Path) -> Path:
    path.write_bytes(parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> {text}').SerializeToString())
    return path


def is_error(finding: Finding) -> bool:
    return finding.severity == "error"


def codes(result: Result) -> list[str]:
    return [finding.code for one in result.checks for finding in one.findings]


def test_a_result_fits_its_schema_and_says_what_was_judged(bundle: Bundle) -> None:
    import json

    result = check(bundle, torch_models.encoder())
    document = json.loads(result.to_json())
    validate("result", document)
    (one,) = document["checks"]
    assert (one["check"], one["provider"], one["measurements"]["oracle"]) == ("parity", "cpu", "float64")
    assert 0 < one["measurements"]["worst_ratio"] < 8
    assert {probe["status"] for probe in one["measurements"]["probes"]} == {"judged"}
    assert document["reference"]["framework"] == "pytorch"


def test_a_provider_that_the_machine_lacks_leaves_the_verdict_open(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CPUExecutionProvider"])
    result = check(bundle, torch_models.encoder(), providers=("cpu", "cuda"))
    assert (result.verdict, result.stage) == (Verdict.INCONCLUSIVE, "parity")
    assert [one.verdict for one in result.checks] == [Verdict.PASS, Verdict.INCONCLUSIVE]
    assert codes(result) == ["PA014"]


def test_progress_is_told_step_by_step(bundle: Bundle) -> None:
    steps: list[str] = []
    check(bundle, torch_models.encoder(), tell=steps.append)
    assert steps[:2] == ["source on probe typical", "source on probe batch=1"]


def test_real_samples_are_judged_too(bundle: Bundle) -> None:
    result = check(bundle, torch_models.encoder(), samples={"x": np.ones((20, 6), np.float32)})
    assert result.checks[0].measurements["probes"][-1]["name"] == "real samples"


@pytest.mark.parametrize(
    ("graph", "code", "says"),
    [
        ("g (float[n,6] y) => (float[n,6] output) { output = Relu(y) }", "PA012", "input x is missing"),
        ("g (double[n,6] x) => (float[n,6] output) { z = Relu(x) output = Cast<to = 1>(z) }", "PA012", "is float64"),
        ("g (float[n,6] x, float[n] z) => (float[n,6] output) { output = Relu(x) }", "PA012", "input z is not"),
        ("g (float[n,6] x) => (float[n,6] output) { output = NoSuchOperator(x) }", "PA006", "does not load"),
        ("g (float[n,6] x) => (float[n,6] output) { output = Expm1(x) }", "PA006", "does not load"),
    ],
)
def test_an_input_or_operator_that_is_not_the_sources_is_a_finding(
    graph: str, code: str, says: str, tmp_path: Path
) -> None:
    source = written("g (float[n,6] x) => (float[n,6] output) { output = Relu(x) }", tmp_path / "source.onnx")
    result = check(written(graph, tmp_path / "m.onnx"), source)
    assert result.verdict is Verdict.FAIL
    assert code in codes(result)
    assert any(says in finding.message for one in result.checks for finding in one.findings)


@pytest.mark.parametrize(("used", "verdict"), [("Relu (x)", Verdict.PASS), ("Add (x, z)", Verdict.FAIL)])
def test_a_missing_input_fails_only_where_the_source_uses_it(used: str, verdict: Verdict, tmp_path: Path) -> None:
    source = written(f"g (float[n,6] x, float[n,6] z) => (float[n,6] y) {{ y = {used} }}", tmp_path / "source.onnx")
    result = check(written("g (float[n,6] x) => (float[n,6] y) { y = Relu (x) }", tmp_path / "m.onnx"), source)
    assert (result.verdict, "PA012" in codes(result)) == (verdict, True)


def test_a_sequence_for_a_tensor_is_a_finding(tmp_path: Path) -> None:
    stacked = "{ z = SequenceConstruct(x, x) y = ConcatFromSequence<axis=0, new_axis=1>(z) }"
    source = written(f"g (float[2] x) => (float[2,2] y) {stacked}", tmp_path / "source.onnx")
    model = written("g (float[2] x) => (seq(float[2]) y) { y = SequenceConstruct(x, x) }", tmp_path / "m.onnx")
    (finding,) = check(model, source).checks[0].findings
    assert (finding.code, finding.evidence["blame"]) == ("PA006", "export")


def test_a_dropped_mask_is_found_by_padding_and_is_the_exports(tmp_path: Path) -> None:
    inputs = "int64[n,4] input_ids, float[n,4] attention_mask"
    text = f"g ({inputs}) => (float[n,4] logits) {{ x = Cast <to = 1> (input_ids) logits = %s }}"
    source, model = (
        written(text % end, tmp_path / f"{name}.onnx")
        for name, end in (("source", "Mul (x, attention_mask)"), ("model", "Relu (x)"))
    )
    specs = {"input_ids": "int64[n,4] in 0..9", "attention_mask": "float32[n,4] in 0..1"}
    roles = {"attention_mask": "attention_mask"}
    reference = open_source(source, dict(zip(specs, with_roles(parse_specs(specs), roles), strict=True)))
    findings = {finding.code: finding for finding in check(model, reference).checks[0].findings if is_error(finding)}
    assert set(findings) == {"PA001", "PA020"}
    assert findings["PA001"].evidence["blame"] == "export"
    assert {"padded", "left-padded", "one token"} <= set(findings["PA001"].evidence["probes"])
    assert findings["PA020"].message.startswith(
        "when attention_mask masks some places (padded), output logits stays in "
    )


def test_a_shaken_source_that_raises_changes_no_floor() -> None:
    class Shaken:
        def run(self, feeds: Any) -> Any:
            raise IndexError(feeds)

    source = open_source(torch_models.encoder(), X)
    feeds = {"x": np.ones((2, 6), np.float32)}
    oracle = Oracle(source, feeds)
    source.shaken = lambda seed: Shaken()  # type: ignore[method-assign]  # noqa: ARG005 - the contract's
    assert oracle.conditioning(feeds, oracle.judge(feeds)) is None


def test_a_source_that_is_random_can_judge_nothing(bundle: Bundle) -> None:
    class Random(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
            y = torch.nn.functional.dropout(x[:, :3], 0.5, training=True)
            return {"left": y, "right": y}

    with pytest.raises(AssayError, match="gives another left, right when it runs again on the same input"):
        check(bundle, Random())


def test_a_source_that_takes_no_probe_leaves_the_verdict_open(bundle: Bundle) -> None:
    class Refusing(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> Any:
            raise ValueError("not today", x.shape)

    result = check(bundle, Refusing())
    assert result.verdict is Verdict.INCONCLUSIVE
    assert {probe["status"] for probe in result.checks[0].measurements["probes"]} == {"refused by the source"}
    assert "not today" in result.checks[0].measurements["probes"][0]["reason"]
    (finding,) = result.checks[0].findings
    assert (finding.code, finding.severity) == ("PA016", "warning")
    assert "the source takes none of the 15 probes: ValueError: ('not today'" in finding.message


def test_shapes_that_nobody_says_are_asked_for(tmp_path: Path) -> None:
    model = written("g (float[] x) => (float[] y) { y = Relu(x) }", tmp_path / "m.onnx")
    with pytest.raises(AssayError, match="does not say the shapes of its inputs"):
        check(model, torch.nn.ReLU())


def test_a_frozen_axis_of_the_candidate_is_found_where_the_source_has_it_open(tmp_path: Path) -> None:
    source = written("g (float[n,6] x) => (float[n,6] y) { y = Relu(x) }", tmp_path / "source.onnx")
    model = written("g (float[2,6] x) => (float[2,6] y) { y = Relu(x) }", tmp_path / "m.onnx")
    assert codes(check(model, source)) == ["PA006", "PA027"]


def test_ranges_come_from_the_bundle(tmp_path: Path) -> None:
    bundle = convert(torch_models.Tokens(), tmp_path / "b", inputs={"ids": "int64[batch,seq] in 0..99"})
    assert check(bundle, torch_models.Tokens()).verdict is Verdict.PASS
