"""A candidate on trial: loaded, run on every probe, judged against what the source gave there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from assay.conformance.isolation import WorkerDied, WorkerTimedOut
from assay.conformance.parity.judged import Judged
from assay.conformance.parity.judgement import (
    PASS_GATE,
    OutputError,
    contract_findings,
    ill_conditioned_finding,
    output_errors,
    overflowed,
    ratio_finding,
)
from assay.conformance.parity.noise_floor import Usual
from assay.conformance.parity.oracle import Reference
from assay.conformance.parity.probes import Probe
from assay.conformance.parity.unrolled import at_step, unrolled
from assay.conformance.providers.catalogue import PROVIDERS
from assay.conformance.providers.runtime import RuntimeRefused, SessionFacts
from assay.conformance.providers.trial import Trial
from assay.conformance.result import Finding
from assay.specs.interface import Interface

Reconsider = Callable[[Judged, OutputError], OutputError]
_NOT_RUN = "the model does not run, though its source does"
_TROUBLES = (RuntimeRefused, WorkerDied, WorkerTimedOut)


@dataclass(frozen=True)
class ProbeRun:
    """What the candidate did on one probe; ``values`` and ``floors`` by output are empty where it did not run."""

    judged: Judged
    row: dict[str, Any]
    findings: tuple[Finding, ...] = ()
    values: Mapping[str, np.ndarray] = field(default_factory=dict)
    floors: Mapping[str, float] = field(default_factory=dict)


def open_session(
    trial: Trial, interface: Interface, ignores: Callable[[str], bool]
) -> tuple[SessionFacts | None, list[Finding]]:
    """Load the model, and compare its inputs and the provider that it got with what they should be.

    ``ignores`` tells whether the source takes an input of this name without using it.
    """
    try:
        facts = trial.facts()
    except _TROUBLES as error:
        return None, [_failure(error, "the runtime does not load the model", {})]
    findings = list(_input_findings(facts, interface, ignores))
    if facts.providers[0] != PROVIDERS[trial.provider]:
        sentence = f"the session runs on {facts.providers[0]}, but should run on {PROVIDERS[trial.provider]}"
        findings.append(Finding(code="PA013", severity="error", message=sentence))
    return facts, findings


def _input_findings(facts: SessionFacts, interface: Interface, ignores: Callable[[str], bool]) -> list[Finding]:
    got = {name: dtype for name, dtype, _ in facts.inputs}
    wanted = {spec.name: spec.dtype for spec in interface.inputs}
    findings = [_absent(name, ignores(name)) for name in sorted(set(wanted) - set(got))]
    for name in sorted(set(got) - set(wanted)):
        sentence = f"input {name} is not the source's, which takes {', '.join(wanted)}"
        findings.append(Finding(code="PA012", severity="error", message=sentence, location={"input": name}))
    for name in sorted(name for name in set(got) & set(wanted) if got[name] != wanted[name]):
        sentence = f"input {name} is {got[name]}, but should be {wanted[name]}"
        findings.append(Finding(code="PA012", severity="error", message=sentence, location={"input": name}))
    return findings


def _absent(name: str, ignored: bool) -> Finding:
    sentence = f"input {name} is missing, but the source takes it"
    if ignored:
        sentence += ", and does not use it: callers that feed it have to leave it out"
    severity: Literal["warning", "error"] = "warning" if ignored else "error"
    return Finding(code="PA012", severity=severity, message=sentence, location={"input": name})


def run_probes(trial: Trial, judged: Sequence[Judged], usual: Usual, reconsider: Reconsider) -> list[ProbeRun]:
    """Every probe in turn; once the model hangs, the others would only wait as long: not run."""
    runs: list[ProbeRun] = []
    for index, one in enumerate(judged, 1):
        runs.append(run_probe(trial, one, usual, reconsider))
        if any(finding.code == "PA008" for finding in runs[-1].findings):
            return runs + [ProbeRun(left, _row(left.probe, "not run")) for left in judged[index:]]
    return runs


def run_probe(trial: Trial, judged: Judged, usual: Usual, reconsider: Reconsider) -> ProbeRun:
    """One probe, over all of its steps."""
    probe, reference = judged.probe, judged.reference
    if reference is None:
        return ProbeRun(judged, {**_row(probe, "refused by the source"), "reason": judged.refusal})
    try:
        values = unrolled(trial.run, probe)(probe.feeds) if probe.later else trial.run(probe.feeds)
    except _TROUBLES as error:
        return ProbeRun(judged, _row(probe, "not run"), tuple(_of_kind(probe, [failure(error, probe)])))
    first = output_errors(values, reference, usual)
    errors = [reconsider(judged, error) if error.ratio > PASS_GATE else error for error in first]
    contract = list(contract_findings(values, reference, probe.name))
    contract = [overflowed(finding, values, reference) for finding in contract] if probe.extreme else contract
    findings = _of_kind(probe, [*contract, *_of_errors(first, errors, probe.name)])
    broken = {finding.location["output"] for finding in contract if finding.severity == "error"}
    told = [] if probe.informative else errors  # the error on a probe that decides nothing would be read as a verdict
    rows = [error.to_json() for error in told if error.output not in broken]  # it says nothing beside a breach
    row = {**_row(probe, "information" if probe.informative else "judged"), "outputs": rows}
    floors = {error.output: error.floor_max for error in errors}
    return ProbeRun(judged, row, tuple(findings), values, floors)


def _of_errors(first: Sequence[OutputError], errors: Sequence[OutputError], probe: str) -> list[Finding]:
    findings = []
    for before, after in zip(first, errors, strict=True):
        doubt = ratio_finding(after, probe)
        findings += [doubt] if doubt else [ill_conditioned_finding(after, probe)] if after is not before else []
    return findings


def _of_kind(probe: Probe, findings: Sequence[Finding]) -> list[Finding]:
    """What a finding is on this kind of probe: a wrong step (PA024), or information only."""
    steps = {} if not probe.later else _steps(findings, len(probe.later) + 1)
    findings = [_wrong_step(finding, steps) for finding in findings] if probe.later else list(findings)
    return [_information(finding, probe) for finding in findings] if probe.informative else findings


def _steps(findings: Sequence[Finding], count: int) -> dict[str, tuple[str, int]]:
    """Outputs and steps by the name of an output at a step."""
    names = {str(finding.location.get("output", "")) for finding in findings}
    ends = {at_step("", step): step for step in range(1, count + 1)}
    return {name: (name.removesuffix(end), step) for name in names for end, step in ends.items() if name.endswith(end)}


def _wrong_step(finding: Finding, steps: Mapping[str, tuple[str, int]]) -> Finding:
    if finding.severity != "error" or finding.code in ("PA007", "PA008"):
        return finding
    output, step = steps.get(str(finding.location.get("output", "")), (None, None))
    location = {**finding.location, **({} if output is None else {"output": output, "step": step})}
    return finding.model_copy(update={"code": "PA024", "location": location})


def _information(finding: Finding, probe: Probe) -> Finding:
    if finding.severity == "info":
        return finding
    return finding.model_copy(update={"severity": "info", "message": f"{finding.message} ({probe.purpose})"})


def _row(probe: Probe, status: str) -> dict[str, Any]:
    shapes = {name: list(array.shape) for name, array in probe.feeds.items()}
    told = {"name": probe.name, "purpose": probe.purpose, "seed": probe.seed, "shapes": shapes}
    return {**told, "status": status, "outputs": []}


def failure(error: Exception, probe: Probe) -> Finding:
    """The finding that a model does not run on a probe that its source takes."""
    return _failure(error, _NOT_RUN, {"probe": probe.name})


def _failure(error: Exception, sentence: str, location: dict[str, Any]) -> Finding:
    code = {WorkerDied: "PA007", WorkerTimedOut: "PA008"}.get(type(error), "PA006")
    return Finding(code=code, severity="error", message=f"{sentence}: {error}", location=location)


def references(judged: Sequence[Judged]) -> list[Reference]:
    """What the source gave, where it gave something."""
    return [one.reference for one in judged if one.reference is not None]
