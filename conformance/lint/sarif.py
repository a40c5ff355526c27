"""Findings as SARIF 2.1.0 (OASIS), which code hosts and editors show beside the lines they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from assay.conformance.lint.location import location_text, source_line
from assay.conformance.result import Finding
from assay.specs.rules import Rule, load_rules

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def to_sarif(findings: Sequence[Finding], model: str) -> dict[str, Any]:
    """One run over the model at this path or URI, with the rules that the findings cite."""
    cited = sorted({finding.code for finding in findings})
    rules = [_descriptor(load_rules()[code]) for code in cited]
    driver = {"name": "assay", "version": version("assay"), "rules": rules}
    results = [_result(finding, cited.index(finding.code), model) for finding in findings]
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _descriptor(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.must},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.mend},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        **({"helpUri": rule.references[0]} if rule.references else {}),
    }


def _result(finding: Finding, index: int, model: str) -> dict[str, Any]:
    return {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{location_text(finding.location)}: {finding.message}"},
        "locations": [_location(finding.location, model)],
    }


def _location(location: Mapping[str, Any], model: str) -> dict[str, Any]:
    """The line of the source where the node's metadata tell it, else the model; and the node or value."""
    logical = [
        {"fullyQualifiedName": str(location[key]), "kind": kind}
        for key, kind in (("node", "function"), *((key, "variable") for key in ("input", "output", "value")))
        if location.get(key)
    ]
    return {"physicalLocation": _physical(location, model), **({"logicalLocations": logical} if logical else {})}


def _physical(location: Mapping[str, Any], model: str) -> dict[str, Any]:
    found = source_line(location)
    if found is None:
        return {"artifactLocation": {"uri": model}}
    return {"artifactLocation": {"uri": found[0]}, "region": {"startLine": found[1]}}
