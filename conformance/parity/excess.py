"""What a user asks of an axis in so many words, and a model does not hold at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.conformance.result import CheckResult, Finding, Verdict
from assay.converters.contract import excess
from assay.converters.sources.base import Inputs, as_spec
from assay.specs.condition_sets import bounded
from assay.specs.interface import Interface


def with_excess(checks: Sequence[CheckResult], asked: Inputs, held: Interface) -> list[CheckResult]:
    """The checks, failed where the conditions of the model leave less than the inputs ask for (PA012)."""
    findings = tuple(_findings(asked, held))
    if not findings:
        return list(checks)
    update = {"verdict": Verdict.FAIL}
    return [check.model_copy(update={**update, "findings": (*check.findings, *findings)}) for check in checks]


def _findings(asked: Inputs, held: Interface) -> Iterator[Finding]:
    for name, value in asked.items():
        for axis in as_spec(name, value).axes:
            reason = excess(axis, bounded(axis, held.conditions))
            if reason:
                sentence = f"axis {axis.name} of input {name} is bounded by the model's conditions: {reason}"
                yield Finding(code="PA012", severity="error", message=sentence, location={"input": name})
