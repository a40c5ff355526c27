"""Runs the rules on a candidate, and gives what they yield its code, severity and location."""

from __future__ import annotations

from collections.abc import Iterable

from assay.conformance.lint import (
    attributes,
    conditions,
    control_flow,
    frozen_axes,
    interface,
    liveness,
    metadata,
    operators,
    parameters,
    precision,
    quantization,
    quantize_pairs,
    redundancy,
    security,
    shapes,
    target_limits,
    task_interface,
    weights,
)
from assay.conformance.lint.candidate import StaticCandidate
from assay.conformance.lint.location import location_of
from assay.conformance.lint.registry import CHECKS, FilePart, Violation
from assay.conformance.result import Finding
from assay.specs.rules import rule

# importing a family registers its rules
FAMILIES = (
    *(interface, task_interface, liveness, shapes, conditions, frozen_axes, operators, attributes, precision),
    *(redundancy, control_flow, weights, parameters, metadata, quantization, quantize_pairs, security, target_limits),
)
DEFAULT_LEVELS = ("core", "quantized")
UNRUN = "SE000"


def run(candidate: StaticCandidate, codes: Iterable[str]) -> list[Finding]:
    """The findings of these rules in the order of their codes; a rule that raises is a finding itself."""
    findings: list[Finding] = []
    failures: dict[str, list[str]] = {}
    for code in sorted(set(codes) & set(CHECKS)):
        try:
            findings += [_finding(code, violation) for violation in CHECKS[code](candidate)]
        except Exception as error:  # noqa: BLE001 - the isolation boundary: one rule's crash must not hide the others
            failures.setdefault(_reason(error), []).append(code)
    findings += [_unrun(candidate, codes, reason) for reason, codes in failures.items()]
    return sorted(findings, key=lambda finding: finding.code)


def chosen(select: Iterable[str], ignore: Iterable[str], levels: Iterable[str] | None = None) -> list[str]:
    """The codes that begin with a selected prefix and with no ignored one, of rules of these levels.

    Where nothing is selected, all rules of the levels (those of `DEFAULT_LEVELS` where none is given).
    """
    select, ignore = tuple(select), tuple(ignore)
    allowed = tuple(levels) if levels is not None else None if select else DEFAULT_LEVELS
    codes = (code for code in sorted(CHECKS) if code.startswith(select or ""))
    kept = (code for code in codes if not (ignore and code.startswith(ignore)))
    return [code for code in kept if allowed is None or rule(code).level in allowed]


def _finding(code: str, violation: Violation) -> Finding:
    return Finding(
        code=code,
        severity=rule(code).severity,
        message=violation.sentence,
        location=location_of(violation.subject),
        evidence=dict(violation.evidence),
    )


def _unrun(candidate: StaticCandidate, codes: list[str], reason: str) -> Finding:
    subject = FilePart(candidate.path.name)
    sentence = f"{', '.join(codes)} could not run ({reason}), but should on any sound model"
    return _finding(UNRUN, Violation(subject, sentence, {"rules": codes}))


def _reason(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
