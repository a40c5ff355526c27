"""The rules' checks by code; what a check yields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import onnx_ir as ir

from assay.conformance.lint.candidate import StaticCandidate


@dataclass(frozen=True)
class FilePart:
    """A place outside the graph: a file of the bundle, and the key in it where there is one."""

    file: str
    key: str | None = None


Subject = ir.Node | ir.Value | FilePart


@dataclass(frozen=True)
class Violation:
    """Where a rule is broken, a sentence ``<got>, but should be <expected>``, and the numbers that show it."""

    subject: Subject
    sentence: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


Check = Callable[[StaticCandidate], Iterator[Violation]]

CHECKS: dict[str, Check] = {}


def rule(code: str) -> Callable[[Check], Check]:
    """Register a function as the check of the rule with this code."""

    def register(check: Check) -> Check:
        if code in CHECKS:
            raise ValueError(f"rule {code} has the check {CHECKS[code].__name__} already, but should have one only")
        CHECKS[code] = check
        return check

    return register
