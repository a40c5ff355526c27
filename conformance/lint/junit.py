"""Findings as JUnit XML: one suite a model, one test case a rule that found something."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from xml.etree import ElementTree as ET

from assay.conformance.lint.location import location_text
from assay.conformance.result import Finding
from assay.specs.rules import rule


def to_junit(findings: Sequence[Finding], model: str) -> str:
    """The XML text; a rule with an error is a failure, one with less tells what it found and passes."""
    suite = ET.Element("testsuite", name=_plain(model))
    for code, group in groupby(sorted(findings, key=lambda finding: finding.code), key=lambda finding: finding.code):
        suite.append(_case(code, list(group), model))
    if not findings:
        ET.SubElement(suite, "testcase", classname=_plain(model), name="lint")
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", "0")
    ET.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suite, encoding="unicode")


def _case(code: str, findings: Sequence[Finding], model: str) -> ET.Element:
    case = ET.Element("testcase", classname=_plain(model), name=f"{code} {rule(code).name}")
    lines = [_plain(f"{finding.severity} {location_text(finding.location)}: {finding.message}") for finding in findings]
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        failure = ET.SubElement(case, "failure", type="error", message=_plain(errors[0].message))
        failure.text = "\n".join(lines)
    else:
        ET.SubElement(case, "system-out").text = "\n".join(lines)
    return case


def _plain(text: str) -> str:
    """XML has no way to write most control characters."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
