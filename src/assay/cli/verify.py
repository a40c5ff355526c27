"""``assay verify``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.output import console, emit_json, json_option

if TYPE_CHECKING:
    from assay.conformance.certificate import Verification

_SENTENCES = {
    "pass": "{bundle} is the certified model",
    "fail": "{bundle} is not to be trusted by this certificate",
    "inconclusive": "{bundle} is the model that the certificate names, but who says so is not known",
}
_STYLES = {"pass": "bold green", "fail": "bold red", "inconclusive": "bold yellow"}


@click.command()
@click.argument("certificate", type=click.Path(path_type=Path))
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--key", type=click.Path(path_type=Path), metavar="PEM", help="Ed25519 public key of whoever should have signed."
)
@json_option
def command(certificate: Path, bundle: Path, key: Path | None, json_path: str | None) -> None:
    """Tell whether BUNDLE is the model that CERTIFICATE is about, and who says so.

    Every file is compared by its SHA-256. Without --key anybody may have written the certificate: the verdict is
    inconclusive at best.

    \b
    Examples:
      assay verify out/bundle/certificate.json out/bundle --key release.pub
      assay verify certificate.json downloaded/model
    """
    from assay.conformance.certificate import verify_certificate

    verification = verify_certificate(certificate, bundle, key)
    if json_path != "-":
        _show(verification, bundle, key)
    emit_json(_json(verification), json_path)
    sys.exit(verification.verdict.exit_status)


def _show(verification: Verification, bundle: Path, key: Path | None) -> None:
    from rich.table import Table
    from rich.text import Text

    from assay.conformance.reports.wording import plain

    out = console()
    sentence = _SENTENCES[verification.verdict.value].format(bundle=bundle)
    out.print(Text(sentence, style=_STYLES[verification.verdict.value]), soft_wrap=True)
    for finding in verification.findings:
        line = f"{finding.code} {finding.severity} {plain(finding.message)}"
        out.print(line, markup=False, soft_wrap=True)
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in _facts(verification, key):
        grid.add_row(Text(name, style="bold"), Text(plain(value)))
    out.print(grid)


def _facts(verification: Verification, key: Path | None) -> list[tuple[str, str]]:
    """What the certificate says, each with its name; a certificate that nobody vouches for may say anything."""
    predicate = verification.statement["predicate"]
    reference, environment = (_mapping(predicate.get(key)) for key in ("reference", "environment"))
    checks = [_mapping(check) for check in predicate.get("checks") or []]
    known = key is not None and not any(finding.code == "MD004" for finding in verification.findings)
    facts = {
        "verdict": verification.certified,
        "checks": ", ".join(f"{_check(check)} {check.get('verdict')}" for check in checks),
        "model": predicate.get("model"),
        "task": predicate.get("task"),
        "source": reference.get("source"),
        "source SHA-256": reference.get("sha256"),
        "files": str(len(verification.statement["subject"])),
        "created": predicate.get("created"),
        "by": f"assay {environment.get('assay')}",
        "signed by" if known else "claims to be signed by": ", ".join(verification.signers) or "nobody",
    }
    return [(name, str(value)) for name, value in facts.items() if value]


def _check(check: dict[str, object]) -> str:
    return f"{check.get('check')}[{check['provider']}]" if check.get("provider") else str(check.get("check"))


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _json(verification: Verification) -> str:
    content = {
        "verdict": verification.verdict.value,
        "certified": verification.certified,
        "signers": list(verification.signers),
        "findings": [finding.model_dump() for finding in verification.findings],
        "statement": verification.statement,
    }
    return json.dumps(content, indent=2)
