"""Repair: what a diagnosis implies is done to the model, and kept only where the model then passes the whole check."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import onnx_ir as ir

from assay.conformance.candidate import Candidate
from assay.conformance.isolation import Worker
from assay.conformance.parity.diagnoses import CannotMend, Diagnosis, Mend
from assay.conformance.parity.diagnoses.declarations import put_in_order
from assay.conformance.parity.diagnoses.restorations import (
    other_weights,
    restorations,
    unreadable_weights,
)
from assay.conformance.parity.diagnoses.source_weights import TakeSourceWeights
from assay.conformance.parity.explanation import Explanation, explain
from assay.conformance.parity.judge import Judge, Tell, check_parity
from assay.conformance.parity.localisation.graph import Graph
from assay.conformance.parity.localisation.healthy import Conversions
from assay.conformance.result import CheckResult, Verdict
from assay.converters.bundle import require_replaceable, save_model, write_bundle
from assay.converters.files import read_model
from assay.specs.errors import brief

_ROUNDS = 3  # faults that are mended one after the other
_Mending = tuple[Diagnosis, ir.Model | None]  # with the healthy model; weights come from the source, which needs none


@dataclass(frozen=True)
class Repair:
    """The repaired model with the sentences of what was mended, or the reason why there is none."""

    output: Path | None
    mended: tuple[str, ...] = ()
    reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        """What the measurements say of it."""
        told = {"output": str(self.output) if self.output else None, "mended": list(self.mended), "reason": self.reason}
        return {key: value for key, value in told.items() if value}


@dataclass(frozen=True)
class Workshop:
    """All that a repaired model is proved with."""

    judge: Judge
    worker: Worker
    providers: Sequence[str]
    tell: Tell | None = None

    def proved(self, candidate: Candidate) -> list[CheckResult]:
        """The whole check, up to the first provider on which it does not pass."""
        checks: list[CheckResult] = []
        for provider in self.providers:
            if not checks or checks[-1].verdict is Verdict.PASS:
                checks.append(check_parity(self.judge, candidate, provider, self.worker))
        return checks


def require_writable(output: Path) -> None:
    """Raise `UnwritableError` where the repaired model could not be written."""
    if output.suffix != ".onnx":
        require_replaceable(output)


def repair(workshop: Workshop, candidate: Candidate, explanation: Explanation, output: Path) -> Repair:
    """Mend the candidate and write it to ``output``: an ``.onnx`` file by that suffix, else a bundle."""
    with tempfile.TemporaryDirectory(prefix="assay-", ignore_cleanup_errors=True) as folder:
        try:
            mended, path = _mended(workshop, candidate, explanation, Path(folder))
        except CannotMend as error:
            return Repair(None, reason=f"the model is not repaired: {error}")
        except Exception as error:  # noqa: BLE001 - a graph may have what no mend foresaw; the verdict stands without one
            return Repair(None, reason=f"the model is not repaired: {type(error).__name__}: {brief(error)}")
        _write(path, candidate, output)
    return Repair(output, tuple(mended))


def _mended(workshop: Workshop, candidate: Candidate, explanation: Explanation, folder: Path) -> tuple[list[str], Path]:
    """The sentences of what was mended and the file that passes; raises `CannotMend`.

    Diagnoses come first, one fault after the other; what names no defect is restored only where they do not suffice.
    """
    try:
        return _by_diagnoses(workshop, candidate, explanation, folder)
    except CannotMend:
        attempts = _attempts(candidate, _restorations(workshop, candidate, explanation, folder), folder / "restored")
        for diagnosis, path in attempts:
            if _proof(workshop, candidate, diagnosis, path).verdict is Verdict.PASS:
                return [diagnosis.message], path
        raise


def _by_diagnoses(
    workshop: Workshop, candidate: Candidate, explanation: Explanation, folder: Path
) -> tuple[list[str], Path]:
    mended: list[str] = []
    for number in range(_ROUNDS):
        first: tuple[Diagnosis, Candidate, CheckResult] | None = None
        for diagnosis, path in _attempts(candidate, _implied(explanation), folder / str(number)):
            check = _proof(workshop, candidate, diagnosis, path)
            if check.verdict is Verdict.PASS:
                return [*mended, diagnosis.message], path
            first = first or (diagnosis, replace(candidate, path=path), check)
        if first is None:
            break
        mended.append(first[0].message)
        candidate = first[1]
        explanation = explain(workshop.judge, candidate, first[2], workshop.tell)
    raise CannotMend(_why(explanation, mended))


def _proof(workshop: Workshop, candidate: Candidate, diagnosis: Diagnosis, path: Path) -> CheckResult:
    if workshop.tell:
        workshop.tell(f"proving a repair: {diagnosis.message}")
    return workshop.proved(replace(candidate, path=path))[-1]


def _attempts(candidate: Candidate, mends: Iterable[_Mending], folder: Path) -> Iterator[tuple[Diagnosis, Path]]:
    """The candidate after each mend that applies to it, in a file of its own."""
    done: list[Mend] = []
    for diagnosis, healthy in mends:
        if diagnosis.mend is None or diagnosis.mend in done:
            continue
        done.append(diagnosis.mend)
        model = read_model(candidate.path)
        try:
            _mend(model, diagnosis.mend, healthy)
        except CannotMend:
            continue
        path = folder / f"{len(done)}.onnx"
        path.parent.mkdir(parents=True, exist_ok=True)
        save_model(model, path)
        yield diagnosis, path


def _mend(model: ir.Model, mend: Mend, healthy: ir.Model | None) -> None:
    if healthy is None:
        mend(model, model)
        return
    mend(model, ir.from_proto(ir.to_proto(healthy)))
    put_in_order(model, healthy)


def _implied(explanation: Explanation) -> Iterator[_Mending]:
    evidence = explanation.evidence
    healthy = evidence.healthy.graph.model if evidence is not None and evidence.healthy is not None else None
    for diagnosis in explanation.diagnoses:
        if isinstance(diagnosis.mend, TakeSourceWeights):
            yield diagnosis, None
        elif healthy is not None:
            yield diagnosis, healthy


def _restorations(
    workshop: Workshop, candidate: Candidate, explanation: Explanation, folder: Path
) -> Iterator[_Mending]:
    evidence = explanation.evidence
    if evidence is None:  # a model that can't be looked into, for its weights can't be read, or that need not be
        restored = other_weights if explanation.diagnoses else unreadable_weights
        yield from _from_conversions(workshop, candidate, folder / "conversions", restored)
    elif evidence.healthy is not None:
        yield from ((diagnosis, evidence.healthy.graph.model) for diagnosis in restorations(evidence))


def _from_conversions(
    workshop: Workshop,
    candidate: Candidate,
    folder: Path,
    restored: Callable[[ir.Model, ir.Model], Diagnosis | None],
) -> Iterator[_Mending]:
    conversions = Conversions(workshop.judge.source, candidate.interface.task, folder)
    for made in conversions.all(Graph.read(candidate.path)):
        model = made.graph.model
        found = restored(read_model(candidate.path), model)
        if found is None:
            return
        yield found, model


def _why(explanation: Explanation, mended: Sequence[str]) -> str:
    if mended:
        return f"after {len(mended)} mends it still does not pass; convert the source anew"
    if explanation.reason:
        return explanation.reason
    evidence = explanation.evidence
    if evidence is not None and evidence.healthy is None:
        told = "; ".join(
            f"{name}: {reason[:160]}" for name, reason in {u.exporter: u.reason for u in evidence.unhealthy}.items()
        )
        return f"no conversion of the source is right, so there is nothing to take over ({told})"
    return "no diagnosis implies a mend"


def _write(path: Path, candidate: Candidate, output: Path) -> None:
    model = read_model(path)
    if output.suffix == ".onnx":
        save_model(model, output)
    else:
        write_bundle(model, candidate.interface, output)
