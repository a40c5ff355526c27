"""Assay's repair on trial: what `assay check --repair` makes of a killed mutant, and whether it is the model again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from assay.conformance.candidate import Candidate
from assay.conformance.parity.explanation import Explanation
from assay.conformance.parity.repair import Workshop, repair

Contract = Callable[[Path], list[str]]


@dataclass(frozen=True)
class Mended:
    """The outcome: ``proved`` where the whole check passes the repaired model, and its contract has no new error.

    ``same`` is the benchmark's own word: whether the repaired model equals the healthy one by the stated test.
    """

    proved: bool
    by: tuple[str, ...]
    reason: str | None
    seconds: float
    same: bool | None = None

    def to_json(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)


def mend(
    workshop: Workshop, candidate: Candidate, explanation: Explanation, output: Path, contract: Contract
) -> Mended:
    """Repair a killed model, to a bundle; ``contract`` gives the errors of a bundle that the healthy one has not."""
    start = time.perf_counter()
    shutil.rmtree(output, ignore_errors=True)
    done = repair(workshop, candidate, explanation, output)
    broken = contract(output) if done.output else []
    reason = f"its contract is broken: {broken[0]}" if broken else done.reason
    return Mended(bool(done.output) and not broken, done.mended, reason, time.perf_counter() - start)
