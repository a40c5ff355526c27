"""JUnit XML: one test case a check, and nothing passes that was not judged."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from assay.conformance.reports import render_junit
from assay.conformance.result import CheckResult, Finding, Result, Verdict


def cases(text: str) -> dict[str, str]:
    """What becomes of each test case: passed, failure or error."""
    found = {}
    for case in ET.fromstring(text).iter("testcase"):
        found[case.get("name", "")] = next((child.tag for child in case if child.tag in ("failure", "error")), "passed")
    return found


def test_every_check_is_a_test_case(passing: Result) -> None:
    found = cases(render_junit([("digits", passing)]))
    assert list(found)[2:4] == ["parity[cpu]", "parity:vendor[cpu]"]
    assert set(found.values()) == {"passed"}
    assert len(found) == len(passing.checks)


def test_a_fail_is_a_failure_and_inconclusive_an_error(failing: Result) -> None:
    text = render_junit([("broken", failing)])
    assert cases(text) == {"parity[cpu]": "failure", "parity[cuda]": "error"}
    root = ET.fromstring(text)
    assert [root.get(count) for count in ("tests", "failures", "errors")] == ["2", "1", "1"]
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.get("message", "").startswith("PA001: output logits is not finite")
    assert failure.text is not None
    assert "error PA001" in failure.text


def test_an_empty_result_is_an_error(empty: Result) -> None:
    assert cases(render_junit([("nothing", empty)])) == {"result": "error"}


@pytest.mark.parametrize(("verdict", "outcome"), [(Verdict.FAIL, "failure"), (Verdict.INCONCLUSIVE, "error")])
def test_a_verdict_that_no_check_explains_is_no_pass(passing: Result, verdict: Verdict, outcome: str) -> None:
    assert cases(render_junit([("odd", passing.model_copy(update={"verdict": verdict}))]))["result"] == outcome


def test_text_that_xml_refuses_is_written_out(passing: Result) -> None:
    finding = Finding(code="PA001", severity="error", message="\x00\x1b <&> \ud800")
    check = CheckResult(check="parity", provider="<&>", verdict=Verdict.FAIL, findings=(finding,))
    text = render_junit([("\x00<&>", passing.model_copy(update={"checks": (check,), "verdict": Verdict.FAIL}))])
    assert cases(text) == {"parity[<&>]": "failure"}
    assert "\\x00" in text
