"""A result is a value: what it concludes, and that it is read back as it was written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from assay.conformance.result import CheckResult, Finding, ModelFiles, Result, Verdict, overall, verdict_of

PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
verdicts = st.lists(st.sampled_from(Verdict), max_size=5)


def result(*found: Verdict) -> Result:
    checks = [CheckResult(check=f"check {index}", verdict=verdict) for index, verdict in enumerate(found)]
    return Result.of(checks, ModelFiles(files=()), {"source": "x"}, {})


def finding(severity: Any) -> Finding:
    return Finding(code="PA001", severity=severity, message="is wrong")


@given(verdicts)
def test_a_pass_needs_every_check_to_pass_and_one_at_least(found: list[Verdict]) -> None:
    assert (overall(found) is PASS) == (bool(found) and all(verdict is PASS for verdict in found))
    assert (overall(found) is FAIL) == (FAIL in found)


@given(verdicts)
def test_a_result_is_read_back_as_it_was_written(found: list[Verdict]) -> None:
    assert Result.from_json(result(*found).to_json()) == result(*found)


def test_the_stage_is_the_first_check_that_gave_the_verdict() -> None:
    assert result(PASS, OPEN, FAIL, FAIL).stage == "check 2"
    assert result(PASS, OPEN, PASS).stage == "check 1"
    assert result(PASS, PASS).stage is None


@pytest.mark.parametrize(("severity", "verdict"), [("error", FAIL), ("warning", PASS), ("info", PASS)])
def test_only_an_error_fails(severity: str, verdict: Verdict) -> None:
    assert verdict_of([finding("info"), finding(severity)]) is verdict


def test_each_verdict_has_its_exit_status() -> None:
    assert [verdict.exit_status for verdict in (PASS, FAIL, OPEN)] == [0, 1, 3]


def test_an_unknown_word_is_no_result() -> None:
    text = result(PASS).to_json()
    for wrong in (text.replace('"pass"', '"fine"'), text.replace("assay.result/v1", "assay.result/v9"), "{}"):
        with pytest.raises(ValidationError):
            Result.from_json(wrong)
