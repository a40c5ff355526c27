"""What follows a check that does not pass: its explanation, and, if wanted, a minimal case and a repair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.conformance.candidate import Candidate
from assay.conformance.parity.explanation import Explanation, explain, explained
from assay.conformance.parity.repair import Workshop, repair, require_writable
from assay.conformance.parity.reproduction import write_reproduction
from assay.conformance.result import CheckResult, Verdict
from assay.converters.files import UnwritableError
from assay.specs.errors import brief


@dataclass(frozen=True)
class Orders:
    """The folder for a minimal case and the path for a repaired model, each None where it is not wanted."""

    repro: Path | None = None
    repair: Path | None = None

    def require_possible(self) -> None:
        """Raise `UnwritableError` before long work where something lies in the way."""
        if self.repair is not None:
            require_writable(self.repair)
        if self.repro is not None and self.repro.is_dir() and any(self.repro.iterdir()):
            raise UnwritableError(self.repro, "it is not empty; a minimal case gets a folder of its own")


def follow_up(
    workshop: Workshop, candidate: Candidate, checks: Sequence[CheckResult], orders: Orders
) -> list[CheckResult]:
    """The checks with what was found out of the first that does not pass; verdicts stay."""
    index = next((i for i, check in enumerate(checks) if check.verdict is not Verdict.PASS and check.findings), None)
    if index is None or not any(check.measurements for check in checks[index : index + 1]):
        return list(checks)
    explanation = explain(workshop.judge, candidate, checks[index], workshop.tell)
    told = explained(checks[index], explanation)
    extra = _carried_out(workshop, candidate, checks[index], explanation, orders)
    told = told.model_copy(update={"measurements": {**told.measurements, **extra}})
    return [*checks[:index], told, *checks[index + 1 :]]


def outcome_sentences(check: CheckResult) -> Iterator[str]:
    """What became of the explanation, the minimal case and the repair, for people."""
    told = {key: check.measurements.get(key, {}) for key in ("localisation", "reproduction", "repair")}
    if "reason" in told["localisation"]:
        yield f"where the model differs was not found: {told['localisation']['reason']}"
    if "folder" in told["reproduction"]:
        yield f"the minimal case is in {told['reproduction']['folder']}"
    elif "reason" in told["reproduction"]:
        yield f"there is no minimal case: {told['reproduction']['reason']}"
    if "output" in told["repair"]:
        yield f"the repaired model, which passes, is {told['repair']['output']}: {'; '.join(told['repair']['mended'])}"
    elif "reason" in told["repair"]:
        yield str(told["repair"]["reason"])


def _carried_out(
    workshop: Workshop, candidate: Candidate, check: CheckResult, explanation: Explanation, orders: Orders
) -> dict[str, Any]:
    done: dict[str, Any] = {}
    if orders.repro is not None:
        done["reproduction"] = _reproduced(workshop, check, explanation, orders.repro)
    if orders.repair is not None:
        done["repair"] = repair(workshop, candidate, explanation, orders.repair).to_json()
    return done


def _reproduced(workshop: Workshop, check: CheckResult, explanation: Explanation, folder: Path) -> dict[str, str]:
    try:
        reason = write_reproduction(explanation, check, workshop.worker, folder)
    except Exception as error:  # noqa: BLE001 - a graph may have what no extraction foresaw; the verdict stands without one
        reason = f"{type(error).__name__}: {brief(error)}"
    return {"reason": reason} if reason else {"folder": str(folder)}
