"""A healthy graph of the source: a fresh conversion that is right on the probe on which the candidate is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.conformance.candidate import Candidate
from assay.conformance.isolation import WorkerDied, WorkerTimedOut
from assay.conformance.parity.judge import Judge
from assay.conformance.parity.judgement import FAIL_GATE
from assay.conformance.parity.localisation.alignment import trusts_names
from assay.conformance.parity.localisation.capture import Camera
from assay.conformance.parity.localisation.graph import Graph
from assay.conformance.parity.oracle import Reference, distance, is_float
from assay.conformance.providers.runtime import RuntimeRefused
from assay.conformance.providers.trial import Trial
from assay.converters.convert import convert_source
from assay.converters.sources import Source
from assay.specs.errors import AssayError, brief
from assay.specs.tasks import load_task

_EXPORTERS = {
    "pytorch": ("torch.onnx", "torch.onnx.torchscript"),
    "tensorflow": ("tf2onnx",),
    "onnx": ("onnx",),
}
_EPS = float(np.finfo(np.float32).eps) / 2


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


def healthy_graph(
    judge: Judge, candidate: Graph, task: str, feeds: Mapping[str, np.ndarray], reference: Reference, camera: Camera
) -> tuple[Healthy | None, list[Unhealthy]]:
    """The right graph whose names are most like the candidate's, and why the others are none."""
    refused: list[Unhealthy] = []
    found: list[Healthy] = []
    for exporter, opset in _attempts(judge.source, candidate):
        if any(one.exporter == exporter for one in found):
            continue
        camera.deadline.check()
        made = _attempt(judge.source, task, exporter, opset, camera.folder.parent / f"healthy-{len(found) + len(refused)}")
        reason = made.reason if isinstance(made, Unhealthy) else _why_wrong(made, feeds, reference, camera)
        if isinstance(made, Healthy) and reason is None:
            if trusts_names(candidate, made.graph):
                return made, refused
            found.append(made)
        else:
            refused.append(Unhealthy(exporter, reason or ""))
    return next(iter(found), None), refused


def _attempts(source: Source, candidate: Graph) -> Iterator[tuple[str, int | None]]:
    """Each exporter with the candidate's opset, then with its own; the candidate's own exporter first."""
    named = candidate.model.metadata_props.get("assay.exporter", "")
    known = _EXPORTERS.get(source.framework, ())
    ordered = sorted(known, key=lambda exporter: exporter != named)
    opset = candidate.model.opset_imports.get("")
    for exporter in ordered:
        yield exporter, opset
        yield exporter, None


def _attempt(source: Source, task: str, exporter: str, opset: int | None, folder: Path) -> Healthy | Unhealthy:
    try:
        bundle = convert_source(source, folder, load_task(task), opset, exporter)
    except AssayError as error:
        return Unhealthy(exporter, brief(error))
    return Healthy(Candidate(bundle.model, bundle.interface), Graph.read(bundle.model), exporter)


def _why_wrong(made: Healthy, feeds: Mapping[str, np.ndarray], reference: Reference, camera: Camera) -> str | None:
    try:
        values = Trial(made.candidate, "cpu", camera.worker, 1, "disable").run(feeds)
    except (RuntimeRefused, WorkerDied, WorkerTimedOut) as error:
        return f"it does not run there: {error}"
    wrong = [name for name in reference.values if not is_right(name, values, reference)]
    return f"its {', '.join(wrong)} is wrong there too" if wrong else None


def is_right(name: str, values: Mapping[str, np.ndarray], reference: Reference) -> bool:
    """Whether an output is the source's, within the gate of a failure over the source's own rounding error."""
    expected = reference.values[name]
    got = values.get(name)
    if got is None or got.shape != expected.shape or got.dtype != expected.dtype:
        return False
    if not is_float(expected):
        return bool(np.array_equal(got, expected))
    if not np.array_equal(np.isfinite(got), np.isfinite(expected)):
        return False
    truth = reference.truth[name].astype(np.float64)
    size = float(np.abs(truth[np.isfinite(truth)]).max(initial=0.0))
    return distance(got, reference.truth[name]).max <= FAIL_GATE * max(reference.floor[name].max, _EPS * size)
