"""Each rule has a model that keeps it and one that breaks it."""

from __future__ import annotations

from pathlib import Path

import interface_cases
import operator_cases
import pytest
import quantization_cases
import security_cases
import shape_cases
import weight_cases
from lint_models import Case

from assay.conformance.lint import driver  # noqa: F401 - registers the checks
from assay.conformance.lint.registry import CHECKS

TABLES = (interface_cases, operator_cases, quantization_cases, security_cases, shape_cases, weight_cases)
CASES = [case for table in TABLES for case in table.CASES]
# their models are in test_rules_on_protos.py and test_large_models.py
ELSEWHERE = {"IO005", "SE004", "SE011", "OP046", "WT015"}


@pytest.mark.parametrize("case", CASES, ids=[f"{case.code}-{i}" for i, case in enumerate(CASES)])
class TestRule:
    """A rule of the profile on two small graphs."""

    def test_the_kept_model_gives_no_finding(self, case: Case, tmp_path: Path) -> None:
        assert case.judge_kept(tmp_path) == []

    def test_the_broken_model_gives_a_finding_in_the_house_form(self, case: Case, tmp_path: Path) -> None:
        found = case.judge_broken(tmp_path)
        assert found
        assert all(", but should" in finding.message and finding.location for finding in found)


def test_every_rule_has_both_models() -> None:
    assert {case.code for case in CASES} | ELSEWHERE == set(CHECKS)
