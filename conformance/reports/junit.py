"""Results as JUnit XML: one test suite a model, one test case a check."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from assay.conformance.reports import wording
from assay.conformance.reports.sentences import failure_sentence, finding_sentence, measured_sentence
from assay.conformance.reports.summary import Named, label
from assay.conformance.result import CheckResult, Result, Verdict


def render_junit(results: Named) -> str:
    """The XML text; a check that fails is a ``failure``, one that is inconclusive an ``error``, so never a pass."""
    suites = ET.Element("testsuites", name="assay")
    for name, result in results:
        suites.append(_suite(wording.plain(name), result))
    for count in ("tests", "failures", "errors"):
        suites.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    ET.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _suite(name: str, result: Result) -> ET.Element:
    suite = ET.Element("testsuite", name=name)
    for check in _cases(result):
        suite.append(_case(name, check))
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))
    suite.set("skipped", "0")
    return suite


def _cases(result: Result) -> tuple[CheckResult, ...]:
    """The checks, and one case more where the result does not pass although none of them says why."""
    if result.verdict is Verdict.PASS or any(check.verdict is not Verdict.PASS for check in result.checks):
        return result.checks
    return (*result.checks, CheckResult(check="result", verdict=result.verdict))


def _case(model: str, check: CheckResult) -> ET.Element:
    case = ET.Element("testcase", classname=model, name=label(check))
    if check.verdict is not Verdict.PASS:
        tag = "failure" if check.verdict is Verdict.FAIL else "error"
        problem = ET.SubElement(case, tag, type=check.verdict.value, message=failure_sentence(check))
        problem.text = "\n".join(_finding_lines(check))
    elif check.findings:
        ET.SubElement(case, "system-out").text = "\n".join(_finding_lines(check))
    return case


def _finding_lines(check: CheckResult) -> list[str]:
    lines = [f"{finding.severity} {finding_sentence(finding)}" for finding in check.findings]
    measured = measured_sentence(check)
    return [*lines, measured] if measured else lines
