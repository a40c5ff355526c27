"""``assay verify`` from outside."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
import tiny_onnx
from command_line import assay, refusal
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from assay.conformance.candidate import open_candidate
from assay.conformance.certificate import write_certificate
from assay.conformance.result import CheckResult, Result, Verdict


@pytest.fixture
def certified(tmp_path: Path) -> Path:
    """A folder with a certified bundle, and the keys."""
    key = Ed25519PrivateKey.generate()
    (tmp_path / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pub").write_bytes(public)
    bundle = tiny_onnx.bundle(tiny_onnx.write(tiny_onnx.RELU, tmp_path / "m.onnx"), tmp_path / "bundle")
    checks = [CheckResult(check="parity", provider="cpu", verdict=Verdict.PASS)]
    result = Result.of(checks, open_candidate(bundle).files(), {"source": "m.onnx", "sha256": "0" * 64}, {"assay": "1"})
    write_certificate(bundle, result, tmp_path / "key.pem")
    return tmp_path


def verify(folder: Path, *options: object) -> tuple[object, ...]:
    return "verify", folder / "bundle" / "certificate.json", folder / "bundle", *options


def test_the_certified_model_by_a_known_signer_passes(certified: Path) -> None:
    ran = assay(*verify(certified, "--key", certified / "key.pub"))
    assert (ran.status, ran.stderr) == (0, "")
    assert f"{certified / 'bundle'} is the certified model\n" in ran.stdout
    told = {line.split("  ")[0]: line for line in ran.stdout.splitlines()}
    assert "parity[cpu] pass" in told["checks"]
    assert "sha256:" in told["signed by"]
    assert max(map(len, ran.stdout.splitlines()[1:])) <= 80


def test_without_a_key_nobody_is_known_to_say_so(certified: Path) -> None:
    ran = assay(*verify(certified))
    assert (ran.status, "who says so is not known" in ran.stdout) == (3, True)
    assert "claims to be signed by" in ran.stdout


def test_a_changed_model_fails(certified: Path) -> None:
    tiny_onnx.write(tiny_onnx.RELU.replace("Relu", "Tanh"), certified / "bundle" / "model.onnx")
    ran = assay(*verify(certified, "--key", certified / "key.pub"))
    assert ran.status == 1
    assert "MD003 error file model.onnx was changed" in ran.stdout


def test_json_holds_verdict_findings_and_statement(certified: Path) -> None:
    ran = assay(*verify(certified, "--json", "-"))
    assert (ran.json["verdict"], ran.json["certified"]) == ("inconclusive", "pass")
    assert [finding["code"] for finding in ran.json["findings"]] == ["MD004"]
    assert ran.json["statement"]["predicate"]["reference"]["source"] == "m.onnx"


def test_a_certificate_can_not_steer_the_terminal(certified: Path) -> None:
    path = certified / "bundle" / "certificate.json"
    envelope = json.loads(path.read_text())
    statement = json.loads(base64.b64decode(envelope["payload"]))
    statement["predicate"]["task"] = "a\x1b[2J[bold]b"
    statement["subject"].append({"name": "x\x1b[2J", "digest": {"sha256": "0"}})
    envelope["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    path.write_text(json.dumps(envelope))
    ran = assay(*verify(certified))
    assert ran.status == 1
    assert "\x1b[2J" not in ran.stdout
    assert "[bold]b" in ran.stdout


@pytest.mark.parametrize("part", ["predicate", "checks"])
def test_facts_of_another_form_are_left_out(part: str, certified: Path) -> None:
    path = certified / "bundle" / "certificate.json"
    envelope = json.loads(path.read_text())
    statement = json.loads(base64.b64decode(envelope["payload"]))
    if part == "predicate":
        statement["predicate"] = {"verdict": "pass", "reference": 7, "environment": [], "checks": None}
    else:
        statement["predicate"]["checks"] = [1, {"check": 2}, "x"]
    envelope["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    path.write_text(json.dumps(envelope))
    assert assay(*verify(certified)).status == 3


def test_what_can_not_be_read_is_one_sentence(certified: Path) -> None:
    (certified / "text").write_text("no certificate")
    bundle = certified / "bundle"
    assert "is no certificate" in refusal("verify", certified / "text", bundle)
    assert "can't be read" in refusal("verify", certified / "none", bundle)
    assert "is no bundle" in refusal("verify", bundle / "certificate.json", certified / "none")
    assert "is no PEM key" in refusal(*verify(certified, "--key", certified / "text"))


def test_help_shows_examples() -> None:
    assert "Examples:\n    assay verify" in assay("verify", "--help").stdout
