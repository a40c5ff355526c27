"""A healthy graph of the source: a fresh conversion that is right on the probe on which the candidate is wrong."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from assay.conformance.candidate import Candidate
from assay.conformance.isolation import WorkerDied, WorkerTimedOut
from assay.conformance.parity.judge import Judge
from assay.conformance.parity.judged import Judged
from assay.conformance.parity.judgement import FAIL_GATE, contract_findings, output_errors
from assay.conformance.parity.localisation.capture import Camera
from assay.conformance.parity.localisation.correspondence import correspond
from assay.conformance.parity.localisation.deadline import OutOfTime, interrupted_after
from assay.conformance.parity.localisation.graph import Graph
from assay.conformance.providers.runtime import RuntimeRefused
from assay.conformance.providers.trial import Trial
from assay.conformance.remote_source import RemoteSource
from assay.conformance.source_process import Order, convert
from assay.converters.bundle import open_bundle
from assay.converters.exporter import exporters_of
from assay.converters.sources import Source
from assay.specs.errors import AssayError, brief

_LONGEST = 60.0  # seconds for a conversion
_TOO_DEAR = frozenset({"torch.onnx.keras"})  # starts an interpreter, and its graph has the names of none of the others


@dataclass(frozen=True)
class Healthy:
    """A converted bundle as a candidate and a graph, and the exporter that wrote it."""

    candidate: Candidate
    graph: Graph
    exporter: str


@dataclass(frozen=True)
class Unhealthy:
    """An exporter whose graph is no reference, and why."""

    exporter: str
    reason: str


@dataclass(frozen=True)
class Conversions:
    """The conversions of one source, each made once; they live in the folder."""

    source: Source
    task: str
    folder: Path
    made: dict[tuple[str, int | None], Healthy | Unhealthy] = field(default_factory=dict)

    def by(self, exporter: str, opset: int | None, seconds: float = _LONGEST) -> Healthy | Unhealthy:
        """The source as this exporter writes it, to this opset or its own choice, if that takes no longer."""
        key = exporter, opset
        if key not in self.made:
            order = Order(self.folder / str(len(self.made)), self.task, exporter, opset)
            self.made[key] = _attempt(self.source, exporter, order, seconds)
        return self.made[key]

    def all(self, candidate: Graph) -> Iterator[Healthy]:
        """The conversions that succeed, the likest to the candidate first; none is judged yet."""
        made = (self.by(exporter, opset) for exporter, opset in _attempts(self.source, candidate))
        return (one for one in made if isinstance(one, Healthy))


def healthy_graph(
    judge: Judge, judged: Judged, candidate: Graph, conversions: Conversions, camera: Camera
) -> tuple[Healthy | None, list[Unhealthy]]:
    """The right graph whose names are most like the candidate's, and why the others are none."""
    refused: list[Unhealthy] = []
    found: list[Healthy] = []
    for exporter, opset in _attempts(judge.source, candidate):
        if any(one.exporter == exporter for one in found):
            continue
        camera.deadline.check()
        made = conversions.by(exporter, opset, camera.deadline.left / 2)  # one that hangs leaves time for the next
        reason = made.reason if isinstance(made, Unhealthy) else _why_wrong(made, judge, judged, camera)
        if isinstance(made, Healthy) and reason is None:
            shared = [*(candidate.inputs & made.graph.inputs), *(set(candidate.outputs) & set(made.graph.outputs))]
            if correspond(candidate, made.graph, {name: name for name in shared}).is_close:
                return made, refused
            found.append(made)
        else:
            refused.append(Unhealthy(exporter, reason or ""))
    return next(iter(found), None), refused


def _attempts(source: Source, candidate: Graph) -> Iterator[tuple[str, int | None]]:
    """Each exporter with the candidate's opset, then with its own; the candidate's own exporter first."""
    named = candidate.model.metadata_props.get("assay.exporter", "")
    known = [name for name in exporters_of(source.framework, source.kind) if name not in _TOO_DEAR or name == named]
    ordered = sorted(known, key=lambda exporter: exporter != named)
    opset = candidate.model.opset_imports.get("")
    for exporter in ordered:
        yield exporter, opset
        yield exporter, None


def _attempt(source: Source, exporter: str, order: Order, seconds: float) -> Healthy | Unhealthy:
    """A conversion in the source's own process; that of a live source is interrupted here."""
    try:
        with _quiet():
            if isinstance(source, RemoteSource):
                source.convert(order, seconds)
            else:
                with interrupted_after(seconds):
                    convert(source, order)
        bundle = open_bundle(order.output)
    except OutOfTime as late:
        return Unhealthy(exporter, f"the conversion was still at work after {late.seconds:.3g} s")
    except AssayError as error:
        return Unhealthy(exporter, brief(error))
    return Healthy(Candidate(bundle.model, bundle.interface), Graph.read(bundle.model), exporter)


@contextmanager
def _quiet() -> Iterator[None]:
    """Exporters log what they can't do; here that is no news."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(before)


def _why_wrong(made: Healthy, judge: Judge, judged: Judged, camera: Camera) -> str | None:
    try:
        values = Trial(made.candidate, "cpu", camera.worker, 1, "disable").run(judged.probe.feeds)
    except (RuntimeRefused, WorkerDied, WorkerTimedOut) as error:
        return f"it does not run there: {error}"
    wrong = wrong_outputs(judge, judged, values)
    return f"its {', '.join(wrong)} is wrong there too" if wrong else None


def wrong_outputs(judge: Judge, judged: Judged, values: Mapping[str, np.ndarray]) -> list[str]:
    """The outputs that the check would fail on this probe."""
    reference = judged.reference
    assert reference is not None
    broken = {str(finding.location["output"]) for finding in contract_findings(values, reference, judged.probe.name)}
    errors = output_errors(values, reference, judge.usual)
    off = {e.output for e in errors if e.ratio > FAIL_GATE and judge.reconsider(judged, e).ratio > FAIL_GATE}
    return [name for name in reference.values if name in broken | off]
