"""Latency of all models interleaved, as multiples of the reference's or else the first one's."""

from __future__ import annotations

from collections.abc import Mapping

from assay.conformance.candidate import Candidate
from assay.conformance.isolation import Worker
from assay.conformance.latency.check import Timing, check_latency
from assay.conformance.result import CheckResult, Finding
from assay.specs.interface import Interface

SECONDS = 120.0
"""Twice what all samples together may take; slower models get fewer."""


def timed(models: Mapping[str, Candidate], interface: Interface, provider: str, timing: Timing) -> CheckResult | None:
    """Time the models, the base first; one that can't be run is a finding, and the next is the base in its place."""
    left, lost = dict(models), list[Finding]()
    with Worker(SECONDS) as worker:
        while left:
            check = check_latency(timing, left, interface, provider, worker)
            if check.measurements or len(left) == 1 or not _is_about_one(check):
                return check.model_copy(update={"findings": (*lost, *check.findings)})
            lost += check.findings[:1]
            del left[next(iter(left))]
    return None


def _is_about_one(check: CheckResult) -> bool:
    """Whether the base alone is what could not be run."""
    return any(finding.code == "LT002" for finding in check.findings)
