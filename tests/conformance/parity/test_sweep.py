"""A model that is right under one setting of the runtime and wrong under another is found, and the right one blamed."""

from __future__ import annotations

from pathlib import Path

import onnx
import onnx.parser

import assay
from assay.conformance.parity.sweep import Setting, blame_providers, blamed, sweep_findings
from assay.conformance.result import CheckResult, Finding, Verdict

SOUND = "g (float[batch,6] x, float[batch,6] z) => (float[batch,6] y) { y = Div(x, z) }"
# 1 / z is infinite for the subnormal z below; ONNX Runtime's optimizer fuses the two into x / z, which is not
HIDDEN = """g (float[batch,6] x, float[batch,6] z) => (float[batch,6] y) <float one = {1.0}> {
    r = Div(one, z) y = Mul(r, x)
}"""
INPUTS = {"x": "float32[batch,6] in 1e-10..1e-9", "z": "float32[batch,6] in 1e-39..1e-39"}


def write(path: Path, graph: str) -> Path:
    onnx.save(onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> {graph}'), path)
    return path


def wrong(code: str, output: str) -> Finding:
    return Finding(code=code, severity="error", message=f"output {output} is off", location={"output": output})


def test_an_overflow_that_the_optimizer_hides_fails(tmp_path: Path) -> None:
    hidden, sound = write(tmp_path / "hidden.onnx", HIDDEN), write(tmp_path / "sound.onnx", SOUND)
    result = assay.check(hidden, sound, inputs=INPUTS)
    assert result.verdict is Verdict.FAIL
    errors = [finding for finding in result.checks[0].findings if finding.severity == "error"]
    assert {finding.code for finding in errors} == {"PA019"}
    assert errors[0].message.startswith("without graph optimization, output y")


def test_a_sound_model_is_right_under_every_setting(tmp_path: Path) -> None:
    source = write(tmp_path / "sound.onnx", SOUND)
    result = assay.check(source, source, inputs=INPUTS)
    assert result.verdict is Verdict.PASS
    settings = result.checks[0].measurements["settings"]
    assert len(settings) == 4
    assert all(setting["worst_ratio"] <= 8 for setting in settings)


def test_what_is_wrong_without_the_optimizer_too_is_the_exports() -> None:
    settings = [Setting("without graph optimization", (wrong("PA001", "y"),), 100.0)]
    (finding,) = blamed([wrong("PA001", "y")], settings)
    assert finding.evidence["blame"] == "export"
    assert sweep_findings(settings, [wrong("PA001", "y")]) == []


def test_what_is_right_without_the_optimizer_is_its_own() -> None:
    (finding,) = blamed([wrong("PA001", "y")], [Setting("without graph optimization", (), 1.0)])
    assert finding.evidence["blame"] == "optimizer"


def test_what_only_one_setting_shows_is_found_once() -> None:
    settings = [
        Setting(name, (wrong("PA001", "y"),), 100.0) for name in ("without graph optimization", "on one thread")
    ]
    (finding,) = sweep_findings(settings, [])
    assert (finding.code, finding.evidence["setting"]) == ("PA019", "without graph optimization")


def judged(provider: str, *findings: Finding, verdict: Verdict = Verdict.FAIL) -> CheckResult:
    return CheckResult(check="parity", provider=provider, verdict=verdict, findings=findings)


def test_what_is_right_on_the_cpu_is_the_other_providers() -> None:
    checks = [judged("cuda", wrong("PA001", "y"), wrong("PA001", "z")), judged("cpu", wrong("PA001", "z"))]
    cuda, cpu = blame_providers(checks)
    assert [finding.evidence.get("blame") for finding in cuda.findings] == ["provider", None]
    assert [finding.evidence.get("blame") for finding in cpu.findings] == [None]


def test_a_provider_is_not_blamed_where_the_cpu_was_not_judged() -> None:
    (one,) = blame_providers([judged("cuda", wrong("PA001", "y"))])
    assert "blame" not in one.findings[0].evidence
