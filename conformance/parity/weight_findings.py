"""The weight audit in the parity check: once a candidate, and what it finds in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from assay.conformance.candidate import Candidate
from assay.conformance.result import Finding
from assay.conformance.weight_audit import Audit, Difference, audit, computed_by
from assay.converters.sources import Source
from assay.specs.errors import brief

OTHER_WEIGHT = "PA030"


class Auditor:
    """Audits candidates against one source; the last audit is kept, for every provider runs the same file."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._last: tuple[Candidate, list[Finding], dict[str, Any]] | None = None

    def findings(
        self, candidate: Candidate, feeds: Mapping[str, np.ndarray] | None
    ) -> tuple[list[Finding], dict[str, Any]]:
        """What is wrong with the candidate's weights, and the measurements.

        ``feeds`` are inputs that the source takes, to see what it makes of its weights, where something seems wrong.
        """
        if self._last is None or self._last[0] is not candidate:
            self._last = candidate, *self._audited(candidate, feeds)
        return self._last[1], self._last[2]

    def _audited(
        self, candidate: Candidate, feeds: Mapping[str, np.ndarray] | None
    ) -> tuple[list[Finding], dict[str, Any]]:
        try:
            found = self._source.ask(audit, candidate.path)
            if found.differences and feeds is not None:
                found = self._without_computed(found, candidate, feeds)
        except Exception as error:  # noqa: BLE001 - a graph may have what no audit foresaw; the probes judge it all the same
            reason = f"the weights are not audited: {type(error).__name__}: {brief(error)}"
            return [Finding(code=OTHER_WEIGHT, severity="warning", message=reason)], {"reason": reason}
        return list(_findings(found)), found.to_json()

    def _without_computed(self, found: Audit, candidate: Candidate, feeds: Mapping[str, np.ndarray]) -> Audit:
        names = {one.constant for one in found.differences}
        computed = self._source.ask(computed_by, candidate.path, names, dict(feeds))
        left = tuple(one for one in found.differences if one.constant not in computed)
        return replace(found, folded=found.folded + len(found.differences) - len(left), differences=left)


def _findings(found: Audit) -> Iterator[Finding]:
    """One a kind of difference: the largest by name, and how many others are like it."""
    kinds: dict[str, list[Difference]] = {}
    for difference in found.differences:
        kinds.setdefault(difference.how, []).append(difference)
    for alike in kinds.values():
        largest = max(alike, key=lambda difference: difference.relative)
        others = f"; {len(alike) - 1} other weights are like that" if len(alike) > 1 else ""
        evidence = {**largest.to_json(), "weights": {one.constant: one.weight for one in alike}, "blame": "export"}
        location = {"initializer": largest.constant}
        yield Finding(
            code=OTHER_WEIGHT,
            severity="error",
            message=f"{largest.sentence}{others}",
            location=location,
            evidence=evidence,
        )
