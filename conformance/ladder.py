"""One exporter after the other, until one gives a model that parity proves; each step is told."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.conformance.comparison.conversion import Order, convert_apart, framework_of
from assay.conformance.parity import check
from assay.conformance.result import Result, Verdict
from assay.converters.bundle import Bundle, open_bundle, require_replaceable
from assay.converters.exporter import ConvertError, exporters_of
from assay.converters.files import new_folder
from assay.specs.errors import AssayError


@dataclass(frozen=True)
class Step:
    """One exporter: ``outcome`` is ``pass``, ``fail``, ``inconclusive`` or ``refused``; why; after how many seconds."""

    exporter: str
    outcome: str
    reason: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.exporter} ({self.seconds:.1f} s): {self.outcome}" + (f": {self.reason}" if self.reason else "")

    def to_json(self) -> dict[str, Any]:
        """For a report."""
        fields = {"exporter": self.exporter, "outcome": self.outcome, "reason": self.reason}
        return {**fields, "seconds": round(self.seconds, 3)}


@dataclass(frozen=True)
class Climb:
    """The bundle that was written, and every step on the way to it."""

    bundle: Bundle
    steps: tuple[Step, ...]


def climb(order: Order, output: Path) -> Climb:
    """Write the bundle of the first exporter, the default one first, whose model passes the parity check.

    Each conversion has the order's time limit, and so has each run of a check. Raises `AssayError`, with the whole
    story, where no exporter gets there; nothing is written then.
    """
    require_replaceable(output)
    steps: list[Step] = []
    with tempfile.TemporaryDirectory() as folder:
        for step, bundle in _steps(order, Path(folder)):
            steps.append(step)
            if bundle is not None:
                _take(bundle, output)
                return Climb(open_bundle(output), tuple(steps))
    story = "; ".join(map(str, steps))
    raise ConvertError(str(order.source), f"no exporter gives a model that proves to be the same: {story}")


def _steps(order: Order, folder: Path) -> Iterator[tuple[Step, Path | None]]:
    """Each exporter with the bundle that it wrote, where that one passes."""
    for exporter in exporters_of(*framework_of(order)):
        start, bundle = time.monotonic(), folder / exporter
        try:
            convert_apart(order.of(order.source, exporter), bundle)
            result = check(
                bundle, order.source, inputs=order.inputs, trust_source=order.trust, time_limit=order.time_limit
            )
            step = Step(exporter, result.verdict.value, _why(result), time.monotonic() - start)
        except AssayError as error:
            step = Step(exporter, "refused", str(error), time.monotonic() - start)
        yield step, bundle if step.outcome == Verdict.PASS.value else None


def _why(result: Result) -> str:
    """The first error of a result that does not pass; the limits of one that does."""
    findings = [finding for check in result.checks for finding in check.findings]
    if result.verdict is Verdict.PASS:
        limits = (limit for check in result.checks for limit in check.measurements.get("conditions", ()))
        return " and ".join(f"holds where {limit}" for limit in dict.fromkeys(limits))
    told = [f"{finding.code}: {finding.message}" for finding in findings if finding.severity != "info"]
    return told[0] if told else "the check names no finding"


def _take(bundle: Path, output: Path) -> None:
    with new_folder(output) as folder:
        shutil.copytree(bundle, folder, dirs_exist_ok=True)
