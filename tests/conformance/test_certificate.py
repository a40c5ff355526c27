"""A certificate names every byte of a bundle, says who signed it, and is believed by nobody without a key."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny_onnx
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from assay.conformance.candidate import open_candidate
from assay.conformance.certificate import Verification, load_signing_key, verify_certificate, write_certificate
from assay.conformance.result import CheckResult, Result, Verdict
from assay.converters.bundle import Bundle
from assay.converters.files import UnreadableError

Envelope = dict[str, Any]


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return tiny_onnx.bundle(tiny_onnx.classifier(tmp_path / "m.onnx"), tmp_path / "bundle with a space, é")


def result(bundle: Bundle, verdict: Verdict = Verdict.PASS) -> Result:
    return Result.of([CheckResult(check="lint", verdict=verdict)], open_candidate(bundle).files(), {"source": "m"}, {})


def keys(folder: Path, name: str = "key") -> tuple[Path, Path]:
    """A new private key and its public half, as PEM files."""
    private = Ed25519PrivateKey.generate()
    files = folder / f"{name}.pem", folder / f"{name}.pub"
    files[0].write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    files[1].write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return files


def codes(verification: Verification) -> list[tuple[str, str]]:
    return [(finding.code, finding.severity) for finding in verification.findings]


def edit(certificate: Path, change: Callable[[Envelope], object]) -> None:
    envelope = json.loads(certificate.read_text())
    change(envelope)
    certificate.write_text(json.dumps(envelope))


def edit_statement(certificate: Path, change: Callable[[dict[str, Any]], object]) -> None:
    def within(envelope: Envelope) -> None:
        statement = json.loads(base64.b64decode(envelope["payload"]))
        change(statement)
        envelope["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()

    edit(certificate, within)


def test_a_signed_certificate_passes_with_the_right_key(bundle: Bundle, tmp_path: Path) -> None:
    private, public = keys(tmp_path)
    told = verify_certificate(write_certificate(bundle, result(bundle), private), bundle.path, public)
    assert (told.verdict, told.certified, told.findings) == (Verdict.PASS, "pass", ())
    assert len(told.signers) == 1
    assert {subject["name"] for subject in told.statement["subject"]} == {"model.onnx", "interface.json"}


def test_a_signed_certificate_without_a_key_is_no_verdict(bundle: Bundle, tmp_path: Path) -> None:
    told = verify_certificate(write_certificate(bundle, result(bundle), keys(tmp_path)[0]), bundle.path)
    assert (told.verdict, codes(told)) == (Verdict.INCONCLUSIVE, [("MD004", "warning")])
    assert f"no public key was given to compare with {told.signers[0]}" in told.findings[0].message


def test_an_unsigned_certificate_is_no_verdict_and_with_a_key_a_failure(bundle: Bundle, tmp_path: Path) -> None:
    certificate = write_certificate(bundle, result(bundle))
    told = verify_certificate(certificate, bundle.path)
    assert (told.verdict, told.signers, codes(told)) == (Verdict.INCONCLUSIVE, (), [("MD004", "warning")])
    assert "nobody signed it" in told.findings[0].message
    assert verify_certificate(certificate, bundle.path, keys(tmp_path)[1]).verdict is Verdict.FAIL


def test_another_key_fails(bundle: Bundle, tmp_path: Path) -> None:
    certificate = write_certificate(bundle, result(bundle), keys(tmp_path)[0])
    told = verify_certificate(certificate, bundle.path, keys(tmp_path, "other")[1])
    assert (told.verdict, codes(told)) == (Verdict.FAIL, [("MD004", "error")])


def test_a_claim_of_another_key_does_not_make_it_so(bundle: Bundle, tmp_path: Path) -> None:
    certificate = write_certificate(bundle, result(bundle), keys(tmp_path)[0])
    raw = load_signing_key(keys(tmp_path, "trusted")[0]).public_key().public_bytes_raw()
    edit(certificate, lambda e: e["signatures"][0].update(keyid=f"sha256:{hashlib.sha256(raw).hexdigest()}"))
    assert verify_certificate(certificate, bundle.path, tmp_path / "trusted.pub").verdict is Verdict.FAIL


@pytest.mark.parametrize("signed", [True, False], ids=["signed", "unsigned"])
class TestAFile:
    """One file that is not as it was certified."""

    def judged(self, bundle: Bundle, tmp_path: Path, signed: bool, change: Callable[[Path], object]) -> str:
        private, public = keys(tmp_path)
        certificate = write_certificate(bundle, result(bundle), private if signed else None)
        change(bundle.path)
        told = verify_certificate(certificate, bundle.path, public if signed else None)
        assert told.verdict is Verdict.FAIL
        (finding,) = (finding for finding in told.findings if finding.code == "MD003")
        assert finding.severity == "error"
        return finding.message

    def test_a_changed_file_is_found(self, bundle: Bundle, tmp_path: Path, signed: bool) -> None:
        said = self.judged(bundle, tmp_path, signed, lambda folder: tiny_onnx.change_a_weight(folder / "model.onnx"))
        assert said.startswith("file model.onnx was changed")

    def test_a_missing_file_is_found(self, bundle: Bundle, tmp_path: Path, signed: bool) -> None:
        said = self.judged(bundle, tmp_path, signed, lambda folder: (folder / "interface.json").unlink())
        assert said == "file interface.json is missing, but is certified"

    def test_an_added_file_is_found(self, bundle: Bundle, tmp_path: Path, signed: bool) -> None:
        said = self.judged(bundle, tmp_path, signed, lambda folder: (folder / "model.onnx.data").touch())
        assert said == "file model.onnx.data is not certified, but lies in the bundle"

    def test_an_added_file_is_found_by_whatever_name(self, bundle: Bundle, tmp_path: Path, signed: bool) -> None:
        def add(folder: Path) -> None:
            (folder / "sub").mkdir()
            (folder / "sub" / "certificate.json").touch()

        assert "sub/certificate.json is not certified" in self.judged(bundle, tmp_path, signed, add)


def test_a_nested_file_is_certified_by_whatever_name(bundle: Bundle) -> None:
    (bundle.path / "sub").mkdir()
    (bundle.path / "sub" / "certificate.json").write_text("{}")
    told = verify_certificate(write_certificate(bundle, result(bundle)), bundle.path)
    assert [finding.code for finding in told.findings] == ["MD004"]


def test_a_statement_changed_after_it_was_signed_fails(bundle: Bundle, tmp_path: Path) -> None:
    private, public = keys(tmp_path)
    certificate = write_certificate(bundle, result(bundle, Verdict.FAIL), private)
    edit_statement(certificate, lambda statement: statement["predicate"].update(verdict="pass"))
    told = verify_certificate(certificate, bundle.path, public)
    assert (told.verdict, codes(told)) == (Verdict.FAIL, [("MD004", "error")])


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.INCONCLUSIVE])
def test_a_certificate_of_a_model_that_did_not_pass_fails(verdict: Verdict, bundle: Bundle, tmp_path: Path) -> None:
    private, public = keys(tmp_path)
    told = verify_certificate(write_certificate(bundle, result(bundle, verdict), private), bundle.path, public)
    assert (told.verdict, told.certified, codes(told)) == (Verdict.FAIL, verdict.value, [("MD005", "error")])


def test_the_certificate_may_lie_elsewhere(bundle: Bundle, tmp_path: Path) -> None:
    private, public = keys(tmp_path)
    certificate = write_certificate(bundle, result(bundle), private).rename(tmp_path / "kept.json")
    assert verify_certificate(certificate, bundle.path, public).verdict is Verdict.PASS


def test_the_certificate_refers_to_the_result_file_by_its_digest(bundle: Bundle) -> None:
    made = result(bundle)
    told = verify_certificate(write_certificate(bundle, made), bundle.path)
    digest = hashlib.sha256(made.file_text().encode()).hexdigest()
    assert told.statement["predicate"]["result"] == {"sha256": digest}


def test_the_signature_is_of_dsses_encoding(bundle: Bundle, tmp_path: Path) -> None:
    private, _ = keys(tmp_path)
    envelope = json.loads(write_certificate(bundle, result(bundle), private).read_text())
    payload, kind = base64.b64decode(envelope["payload"]), b"application/vnd.in-toto+json"
    encoded = b" ".join([b"DSSEv1", b"%d" % len(kind), kind, b"%d" % len(payload), payload])
    load_signing_key(private).public_key().verify(base64.b64decode(envelope["signatures"][0]["sig"]), encoded)


BROKEN: dict[str, Callable[[Envelope], object]] = {
    "no payload": lambda e: e.pop("payload"),
    "no signatures": lambda e: e.pop("signatures"),
    "another type": lambda e: e.update(payloadType="text/plain"),
    "a payload that is no base64": lambda e: e.update(payload="€"),
    "a payload that is no JSON": lambda e: e.update(payload=base64.b64encode(b"[").decode()),
    "a payload that is no statement": lambda e: e.update(payload=base64.b64encode(b"[]").decode()),
    "signatures that are none": lambda e: e.update(signatures=["me"]),
    "signatures that are no list": lambda e: e.update(signatures="me"),
    "a payload that is no text": lambda e: e.update(payload=7),
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_an_envelope_of_another_form_is_no_certificate(change: Callable[[Envelope], object], bundle: Bundle) -> None:
    certificate = write_certificate(bundle, result(bundle))
    edit(certificate, change)
    with pytest.raises(UnreadableError, match="is no certificate"):
        verify_certificate(certificate, bundle.path)


STATEMENTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "no files": lambda s: s.update(subject=[]),
    "files without digests": lambda s: s["subject"][0].pop("digest"),
    "files that are none": lambda s: s.update(subject="model.onnx"),
    "another predicate": lambda s: s.update(predicateType="urn:else"),
    "a predicate that is none": lambda s: s.update(predicate=[]),
}


@pytest.mark.parametrize("change", STATEMENTS.values(), ids=STATEMENTS)
def test_a_statement_of_another_form_is_no_certificate(
    change: Callable[[dict[str, Any]], object], bundle: Bundle
) -> None:
    certificate = write_certificate(bundle, result(bundle))
    edit_statement(certificate, change)
    with pytest.raises(UnreadableError, match="is no certificate"):
        verify_certificate(certificate, bundle.path)


def test_a_truncated_certificate_is_none_wherever_it_is_cut(bundle: Bundle) -> None:
    certificate = write_certificate(bundle, result(bundle))
    whole = certificate.read_bytes()
    for size in range(0, len(whole) - 3, max(1, len(whole) // 40)):
        certificate.write_bytes(whole[:size])
        with pytest.raises(UnreadableError, match="is no certificate"):
            verify_certificate(certificate, bundle.path)


@pytest.mark.parametrize("content", [b"[" * 200_000, b"\xff\xfe", b"null", b"7"])
def test_bytes_that_are_no_envelope_are_no_certificate(content: bytes, bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_bytes(content)
    with pytest.raises(UnreadableError, match="is no certificate"):
        verify_certificate(tmp_path / "c.json", bundle.path)


def test_a_certificate_or_bundle_that_is_not_there_can_not_be_read(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="can't be read: No such file"):
        verify_certificate(tmp_path / "none.json", bundle.path)
    certificate = write_certificate(bundle, result(bundle))
    for path in (tmp_path / "none", bundle.model):
        with pytest.raises(UnreadableError, match="is no bundle"):
            verify_certificate(certificate, path)


def test_what_is_no_ed25519_key_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    private, public = keys(tmp_path)
    certificate = write_certificate(bundle, result(bundle))
    key = load_signing_key(private)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word"))
    curve = generate_ec_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    contents = {"none": None, "empty": b"", "public": public.read_bytes(), "locked": locked, "curve": curve}
    for name, content in contents.items():
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(UnreadableError, match=r"is no (PEM|Ed25519 private) key|can't be read"):
            load_signing_key(path)
    with pytest.raises(UnreadableError, match="is no PEM key"):
        verify_certificate(certificate, bundle.path, private)
