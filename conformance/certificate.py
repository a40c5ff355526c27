"""The certificate: an in-toto statement of verdicts about every file of a bundle, in a DSSE envelope, signed or not.

in-toto Attestation Framework v1 (statement) and DSSE v1.0 (envelope, pre-authentication encoding); Ed25519, RFC 8032.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.conformance.result import Finding, Result, Verdict, overall
from assay.converters.bundle import CERTIFICATE, Bundle
from assay.converters.files import UnreadableError, sha256, write_text
from assay.specs.errors import brief

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_PAYLOAD_TYPE = "application/vnd.in-toto+json"
_STATEMENT = "https://in-toto.io/Statement/v1"
_PREDICATE = "urn:assay:certificate:v1"


@dataclass(frozen=True)
class Verification:
    """What a certificate says of a bundle: the verdict, who signed it, and what does not agree."""

    verdict: Verdict
    certified: str
    signers: tuple[str, ...]
    findings: tuple[Finding, ...]
    statement: dict[str, Any]


def write_certificate(bundle: Bundle, result: Result, key: Path | None = None) -> Path:
    """Write ``certificate.json`` into the bundle, signed where a private key (PEM, Ed25519) is given."""
    payload = json.dumps(_statement(bundle, result), sort_keys=True).encode()
    signatures = [_sign(payload, key)] if key else []
    envelope = {
        "payloadType": _PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": signatures,
    }
    path = bundle.path / CERTIFICATE
    write_text(path, json.dumps(envelope, indent=2) + "\n")
    return path


def verify_certificate(
    certificate: str | os.PathLike[str], bundle: str | os.PathLike[str], key: Path | None = None
) -> Verification:
    """Compare every file of the bundle with the certificate, and the signature with a public key (PEM) if one is given.

    Without a key that is known to be right, anybody may have written the certificate: that is inconclusive.
    Raises `UnreadableError` where either can't be read.
    """
    payload, signatures = _read_envelope(Path(certificate))
    statement = _read_statement(Path(certificate), payload)
    findings = [*_file_findings(statement, Path(bundle)), *_signature_findings(payload, signatures, key)]
    certified = str(statement["predicate"].get("verdict"))
    if certified != Verdict.PASS:
        findings.append(_finding("MD005", "error", f"the certified verdict is {certified}, but should be pass"))
    verdicts = [Verdict.FAIL if f.severity == "error" else Verdict.INCONCLUSIVE for f in findings]
    signers = tuple(str(signature.get("keyid", "")) for signature in signatures)
    return Verification(overall([Verdict.PASS, *verdicts]), certified, signers, tuple(findings), statement)


def _statement(bundle: Bundle, result: Result) -> dict[str, Any]:
    checks = [{"check": c.check, "provider": c.provider, "verdict": c.verdict.value} for c in result.checks]
    subject = [{"name": _name(bundle.path, path), "digest": {"sha256": sha256(path)}} for path in bundle.files]
    return {
        "_type": _STATEMENT,
        "subject": subject,
        "predicateType": _PREDICATE,
        "predicate": {
            "verdict": result.verdict.value,
            "stage": result.stage,
            "checks": checks,
            "model": result.model.name,
            "task": bundle.interface.task,
            "reference": result.reference,
            "environment": result.environment,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "result": {"sha256": hashlib.sha256(result.file_text().encode()).hexdigest()},
        },
    }


def _read_envelope(path: Path) -> tuple[bytes, list[dict[str, Any]]]:
    try:
        envelope = json.loads(path.read_text(encoding="utf-8"))
        if envelope["payloadType"] != _PAYLOAD_TYPE:
            raise ValueError(f"its payload is {envelope['payloadType']!r}")
        signatures = envelope["signatures"]
        if not isinstance(signatures, list) or not all(isinstance(entry, dict) for entry in signatures):
            raise ValueError("its signatures are no list of objects")
        return base64.b64decode(envelope["payload"], validate=True), signatures
    except OSError as error:
        raise UnreadableError(path, f"can't be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnreadableError(path, f"is no certificate: {type(error).__name__}: {error}") from error


def _read_statement(path: Path, payload: bytes) -> dict[str, Any]:
    try:
        statement: dict[str, Any] = json.loads(payload)
        if statement["_type"] != _STATEMENT or statement["predicateType"] != _PREDICATE:
            raise ValueError(f"its statement is a {statement['predicateType']!r}")
        if not _certified_files(statement):
            raise ValueError("it names no file")
        statement["predicate"].get("verdict")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableError(path, f"is no certificate: {type(error).__name__}: {error}") from error
    return statement


def _certified_files(statement: dict[str, Any]) -> dict[str, str]:
    return {str(entry["name"]): str(entry["digest"]["sha256"]) for entry in statement["subject"]}


def _file_findings(statement: dict[str, Any], folder: Path) -> list[Finding]:
    if not folder.is_dir():
        raise UnreadableError(folder, "is no bundle: it is not a folder")
    certified = _certified_files(statement)
    present = {
        _name(folder, p): p for p in sorted(folder.rglob("*")) if p.is_file() and _name(folder, p) != CERTIFICATE
    }
    findings = []
    for name in sorted(set(certified) | set(present)):
        if name not in present:
            findings.append(_finding("MD003", "error", f"file {name} is missing, but is certified", name))
        elif name not in certified:
            findings.append(_finding("MD003", "error", f"file {name} is not certified, but lies in the bundle", name))
        elif sha256(present[name]) != certified[name]:
            findings.append(
                _finding("MD003", "error", f"file {name} was changed: its SHA-256 is not the certified one", name)
            )
    return findings


def _signature_findings(payload: bytes, signatures: list[dict[str, Any]], key: Path | None) -> list[Finding]:
    if key is None:
        who = (
            "nobody signed it"
            if not signatures
            else f"no public key was given to compare with {signatures[0].get('keyid')}"
        )
        return [_finding("MD004", "warning", f"the certificate vouches for itself alone: {who}")]
    public = _load_public(key)
    if any(_is_valid(public, payload, signature) for signature in signatures):
        return []
    return [_finding("MD004", "error", f"no signature of the certificate is by the key {_key_id(public)}")]


def _sign(payload: bytes, key: Path) -> dict[str, str]:
    private = load_signing_key(key)
    signature = private.sign(_encoding(payload))
    return {"keyid": _key_id(private.public_key()), "sig": base64.b64encode(signature).decode()}


def _is_valid(public: Ed25519PublicKey, payload: bytes, signature: dict[str, Any]) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        public.verify(base64.b64decode(str(signature.get("sig", ""))), _encoding(payload))
    except (InvalidSignature, ValueError):
        return False
    return True


def _encoding(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding, which binds the payload's type."""
    return b"DSSEv1 %d %s %d %s" % (len(_PAYLOAD_TYPE), _PAYLOAD_TYPE.encode(), len(payload), payload)


def _key_id(public: Ed25519PublicKey) -> str:
    return f"sha256:{hashlib.sha256(public.public_bytes_raw()).hexdigest()}"


def load_signing_key(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 private key in a PEM file; raises `UnreadableError`."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = _load_key(path, lambda data: load_pem_private_key(data, password=None))
    if not isinstance(key, Ed25519PrivateKey):
        raise UnreadableError(
            path, "is no Ed25519 private key: make one with 'openssl genpkey -algorithm ed25519 -out key.pem'"
        )
    return key


def _load_public(path: Path) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    key = _load_key(path, load_pem_public_key)
    if not isinstance(key, Ed25519PublicKey):
        raise UnreadableError(
            path, "is no Ed25519 public key: make it with 'openssl pkey -in key.pem -pubout -out key.pub'"
        )
    return key


def _load_key(path: Path, load: Any) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return load(path.read_bytes())
    except OSError as error:
        raise UnreadableError(path, f"can't be read: {error.strerror or error}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UnreadableError(path, f"is no PEM key: {brief(error)}") from error


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _finding(code: str, severity: Any, sentence: str, file: str | None = None) -> Finding:
    return Finding(code=code, severity=severity, message=sentence, location={"file": file} if file else {})
