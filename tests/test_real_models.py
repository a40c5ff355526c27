"""The real models of ``fixtures/`` certify: each agrees with its source, and so does the vendor's own ONNX."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.conformance.certify import certify
from assay.conformance.parity.judgement import PASS_GATE
from assay.conformance.result import CheckResult, Result, Verdict
from assay.specs.schemas import validate

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
MANIFESTS = sorted(FIXTURES.glob("*/*.assay.yaml"))
WITH_VENDOR = {"basic-pitch", "silero-vad"}

pytestmark = pytest.mark.real


@pytest.fixture(scope="module", params=MANIFESTS, ids=[path.name.removesuffix(".assay.yaml") for path in MANIFESTS])
def certified(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Result, Path]:
    """A manifest's name, its result, and the folder that was written."""
    output = tmp_path_factory.mktemp("certified") / "out"
    return request.param.name.removesuffix(".assay.yaml"), certify(request.param, output), output


def parity(result: Result) -> dict[str, CheckResult]:
    return {check.check: check for check in result.checks if check.check.startswith("parity")}


def test_it_passes(certified: tuple[str, Result, Path]) -> None:
    _, result, _ = certified
    said = [f"{finding.code} {finding.message}" for check in result.checks for finding in check.findings]
    assert result.verdict is Verdict.PASS, said


def test_it_agrees_with_its_source_within_the_gate(certified: tuple[str, Result, Path]) -> None:
    name, result, _ = certified
    checks = parity(result)
    assert set(checks) == {"parity"} | ({"parity:vendor"} if name in WITH_VENDOR else set())
    assert all(check.measurements["worst_ratio"] <= PASS_GATE for check in checks.values())


def test_every_probe_is_judged_or_refused_by_the_source(certified: tuple[str, Result, Path]) -> None:
    _, result, _ = certified
    probes = parity(result)["parity"].measurements["probes"]
    assert {probe["status"] for probe in probes} <= {"judged", "refused by the source"}
    assert {"typical", "batch=1", "batch=2", "batch=5", "real samples"} <= {
        probe["name"] for probe in probes if probe["status"] == "judged"
    }


def test_it_lints_clean(certified: tuple[str, Result, Path]) -> None:
    _, result, _ = certified
    (lint,) = (check for check in result.checks if check.check == "lint")
    assert [f for f in lint.findings if f.severity != "info"] == []


def test_its_result_fits_the_schema_and_its_folder_is_whole(certified: tuple[str, Result, Path]) -> None:
    name, result, output = certified
    validate("result", result.model_dump(mode="json", by_alias=True))
    written = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    expected = {"report.html", "summary.md", "junit.xml", f"{name}.result.json"}
    expected |= {f"bundle/{part}" for part in ("model.onnx", "interface.json", "certificate.json")}
    assert expected <= written
