"""Localisation: the first tensor of a failed model that differs from its source, and the node that makes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from assay.conformance.candidate import Candidate
from assay.conformance.parity.judge import Judge
from assay.conformance.parity.judged import Judged
from assay.conformance.parity.localisation.alignment import Alignment, Values
from assay.conformance.parity.localisation.blame import Guilty, first_wrong
from assay.conformance.parity.localisation.capture import Camera
from assay.conformance.parity.localisation.correspondence import correspond
from assay.conformance.parity.localisation.deadline import interrupted_after
from assay.conformance.parity.localisation.evidence import NOT_LOADED, Evidence, Place
from assay.conformance.parity.localisation.graph import Graph
from assay.conformance.parity.localisation.healthy import Conversions, Healthy, healthy_graph, wrong_outputs
from assay.conformance.parity.localisation.noise import spreads
from assay.conformance.parity.localisation.recording import alignment_with, first_lost
from assay.conformance.parity.oracle import Reference
from assay.converters.sources.recorded import Recorded, record

__all__ = ["Camera", "Conversions", "Evidence", "Place", "Target", "localise"]


@dataclass(frozen=True)
class Target:
    """The model that fails, the probe that shows it, and what the source gives there."""

    judge: Judge
    candidate: Candidate
    judged: Judged
    not_loaded: bool = False

    @property
    def reference(self) -> Reference:
        """What the source gives on the probe."""
        assert self.judged.reference is not None
        return self.judged.reference

    @property
    def feeds(self) -> Mapping[str, np.ndarray]:
        """The probe under the candidate's own names of inputs."""
        own = {self.candidate.inputs.get(name, name): array for name, array in self.judged.probe.feeds.items()}
        return {**own, **{name: np.asarray(value) for name, value in self.candidate.constants.items()}}

    @property
    def outputs(self) -> dict[str, str]:
        """The candidate's own name of each output of the source."""
        return {name: self.candidate.outputs.get(name, name) for name in self.reference.values}


def localise(target: Target, conversions: Conversions, camera: Camera) -> Evidence:
    """Find the node at fault; raises `OutOfTime`, and what an unforeseen graph raises."""
    graph = Graph.read(target.candidate.path)
    captured = camera.capture(graph, target.feeds)
    feeds = target.judged.probe.feeds
    healthy, unhealthy = healthy_graph(target.judge, target.judged, graph, conversions, camera)
    got = {ours: captured.values[own] for ours, own in target.outputs.items() if own in captured.values}
    evidence = Evidence(
        probe=target.judged.probe.name,
        feeds=feeds,
        interface=target.judge.interface,
        candidate=graph,
        healthy=healthy,
        unhealthy=unhealthy,
        alignment=Alignment(Values(captured.values), Values({}), False, {}),
        guilty=None,
        failed=captured.failed,
        failure=captured.failure,
        got=got,
        expected=target.reference.values,
        own_names=target.outputs,
        own_inputs=target.candidate.inputs,
        not_loaded=target.not_loaded,
    )
    return _beside_graph(evidence, healthy, target, camera) if healthy else _beside_source(evidence, target, camera)


def _beside_graph(evidence: Evidence, healthy: Healthy, target: Target, camera: Camera) -> Evidence:
    feeds = target.judged.probe.feeds
    computed = camera.capture(healthy.graph, feeds).values
    expected = {**feeds, **computed}
    inputs = {name: name for name in evidence.candidate.inputs & healthy.graph.inputs}
    names = inputs | {own: ours for ours, own in (*target.candidate.inputs.items(), *target.outputs.items())}
    alike = correspond(evidence.candidate, healthy.graph, names)
    alignment = Alignment(
        evidence.alignment.got,
        Values(expected, spreads(camera, healthy.graph, feeds, computed)),
        alike.is_close,
        alike.values,
        {name: node.op_type for name, node in healthy.graph.producers.items()},
    )
    evidence = replace(evidence, alignment=alignment, guilty=_guilty(evidence, alignment, target))
    own = evidence.candidate.model.metadata_props.get("assay.exporter") == healthy.exporter  # else its words say less
    return evidence if alignment.is_close and own else replace(evidence, lost=_lost(evidence, target, camera))


def _beside_source(evidence: Evidence, target: Target, camera: Camera) -> Evidence:
    """No conversion is right: the source's own operations are the reference."""
    records = _recorded(target, camera)
    alignment = _with_records(records, evidence, target)
    guilty = _guilty(evidence, alignment, target)
    return replace(evidence, alignment=alignment, guilty=guilty, lost=first_lost(records, alignment, 1.0))


def _recorded(target: Target, camera: Camera) -> list[Recorded]:
    with interrupted_after(camera.deadline.left):
        return list(record(target.judge.local_source, target.judged.probe.feeds))


def _lost(evidence: Evidence, target: Target, camera: Camera) -> Recorded | None:
    records = _recorded(target, camera)
    return first_lost(records, _with_records(records, evidence, target), 1.0)


def _with_records(records: Sequence[Recorded], evidence: Evidence, target: Target) -> Alignment:
    got = {**evidence.alignment.got.arrays, **target.feeds}
    return alignment_with(records, got, target.judged.probe.feeds, target.outputs, target.reference.values)


def _guilty(evidence: Evidence, alignment: Alignment, target: Target) -> Guilty | None:
    """Of the nodes that lead to an output that is wrong, the first that is."""
    if any(text in (evidence.failure or "") for text in NOT_LOADED):
        return None
    wrong = [
        target.outputs[name]
        for name in wrong_outputs(target.judge, target.judged, evidence.got)
        if name in evidence.got
    ]
    concerned = evidence.candidate.ancestors(wrong) if wrong else None
    return first_wrong(evidence.candidate, alignment, concerned)
