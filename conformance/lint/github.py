"""Findings as GitHub's workflow commands, which show beside the lines of a change."""

from __future__ import annotations

from collections.abc import Sequence

from assay.conformance.lint.location import location_text, source_line
from assay.conformance.result import Finding

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def to_github(findings: Sequence[Finding], model: str) -> str:
    """One command a finding: at the line of the source where it is known, else at the model's file."""
    return "\n".join(_command(finding, model) for finding in findings)


def _command(finding: Finding, model: str) -> str:
    file, line = source_line(finding.location) or (model, None)
    properties = {"file": file, **({"line": str(line)} if line else {}), "title": finding.code}
    text = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    message = _data(f"{location_text(finding.location)}: {finding.message}")
    return f"::{_COMMANDS[finding.severity]} {text}::{message}"


def _data(text: str) -> str:
    for char, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        text = text.replace(char, code)
    return text


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
