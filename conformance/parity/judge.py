"""The parity check: candidate against reference, on one provider, over all probes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from assay.conformance.candidate import Candidate
from assay.conformance.isolation import Worker, WorkerDied, WorkerTimedOut
from assay.conformance.parity.judgement import (
    FAIL_GATE,
    PASS_GATE,
    OutputError,
    contract_findings,
    ill_conditioned_finding,
    output_errors,
    ratio_finding,
    reconsidered,
)
from assay.conformance.parity.levels import kept_probes, level_of
from assay.conformance.parity.noise_floor import size_of, usual_noise
from assay.conformance.parity.oracle import Noise, Oracle, Reference, ReferenceRefused
from assay.conformance.parity.probes import REAL_SAMPLES, Probe, make_probes
from assay.conformance.parity.repeats import Repeats, same
from assay.conformance.parity.search import Effort, Search, search
from assay.conformance.parity.sweep import Setting, blamed, sweep, sweep_findings
from assay.conformance.providers.catalogue import PROVIDERS, why_unavailable
from assay.conformance.providers.runtime import RuntimeRefused, SessionFacts
from assay.conformance.providers.trial import Trial
from assay.conformance.result import CheckResult, Finding, Verdict, verdict_of
from assay.converters.sources import Source, SourceError
from assay.specs.interface import Axis, Interface, TensorSpec

Tell = Callable[[str], None]
_NOT_RUN = "the model does not run, though its source does"
_TINY = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class Judged:
    """A probe with what the source gives on it, or the reason why it gives nothing."""

    probe: Probe
    reference: Reference | None
    refusal: str | None = None


class Judge:
    """The source with its probes, run once and used for every candidate and provider."""

    def __init__(
        self,
        source: Source,
        interface: Interface,
        samples: Mapping[str, np.ndarray] | None = None,
        tell: Tell | None = None,
        level: str = "default",
    ) -> None:
        self.source, self.interface, self.level, self.tell = source, interface, level_of(level), tell
        self._spreads: dict[str, Mapping[str, Noise]] = {}
        probes = kept_probes(self.level, make_probes(interface, samples))
        self.oracle = Oracle(source, probes[0].feeds)
        self.judged = [self.judge(probe) for probe in probes]
        self._require_repeatable()
        ran = [(judged.probe, judged.reference) for judged in self.judged if judged.reference is not None]
        self.usual = usual_noise([r for _, r in ran], [r for probe, r in ran if probe.natural])

    def reconsider(self, judged: Judged, error: OutputError) -> OutputError:
        """The error judged by the source's conditioning, where that is far worse on this probe than on the first.

        Called for errors above the gate only. A source that is well-conditioned keeps its floor: a defect stays one.
        """
        spread, typical = self._conditioning(judged), self._conditioning(self.judged[0])
        if error.output not in spread or error.output not in typical or error.rms == 0:
            return error
        usual = typical[error.output].max / max(_size(self.judged[0], error.output), _TINY)
        return (
            reconsidered(error, spread[error.output])
            if spread[error.output].max / error.rms > FAIL_GATE * usual
            else error
        )

    @property
    def swept(self) -> list[Judged]:
        """The probes that are run under every setting: the first that the source takes, and real samples."""
        ran = [judged for judged in self.judged if judged.reference is not None]
        return [*ran[:1], *(judged for judged in ran[1:] if judged.probe.name == REAL_SAMPLES)]

    def by_conditioning(self, judged: Judged, error: OutputError) -> OutputError:
        """The error judged by the source's conditioning on the probe, where that can be had."""
        spread = self._conditioning(judged).get(error.output)
        return error if spread is None else reconsidered(error, spread)

    def _require_repeatable(self) -> None:
        """A source that is random has a floor as high as its randomness, under which anything would pass."""
        first = next((judged for judged in self.judged if judged.reference is not None), None)
        if first is None or first.reference is None:
            return
        again = self.source.run(first.probe.feeds)
        different = [n for n, v in first.reference.values.items() if n not in again or not same(v, again[n])]
        if different:
            sentence = (
                f"gives another {', '.join(different)} when it runs again on the same input, so it can judge nothing"
            )
            raise SourceError(self.source.name, f"{sentence}; take out what is random in it")

    def _conditioning(self, judged: Judged) -> Mapping[str, Noise]:
        name = judged.probe.name
        if name not in self._spreads and judged.reference is not None:
            self._spreads[name] = self.oracle.conditioning(judged.probe.feeds, judged.reference) or {}
        return self._spreads.get(name, {})

    def judge(self, probe: Probe) -> Judged:
        """What the source gives on a probe."""
        if self.tell and not probe.name.startswith("search"):
            self.tell(f"source on probe {probe.name}")
        try:
            return Judged(probe, self.oracle.judge(probe.feeds))
        except ReferenceRefused as refused:
            return Judged(probe, None, str(refused))


def _size(judged: Judged, output: str) -> float:
    return size_of(judged.reference.values[output]).rms if judged.reference else 0.0


def check_parity(
    judge: Judge,
    candidate: Candidate,
    provider: str,
    worker: Worker,
    name: str = "parity",
    effort: Effort | None = None,
) -> CheckResult:
    """Judge the candidate on one provider; with an effort, search for a counter-example where the probes find none."""
    reason = why_unavailable(provider)
    if reason is not None:
        return _unavailable(name, provider, reason)
    trial = Trial(candidate, provider, worker)
    facts, findings = _open(trial, judge)
    rows, found = _run_probes(trial, judge) if facts is not None else ([], [])
    settings = _swept(trial, judge, found) if facts is not None else []
    findings = _once([*findings, *blamed(found, settings), *sweep_findings(settings, found), *_unjudged(rows)])
    searched = _searched(trial, judge, rows, effort) if effort and verdict_of(findings) is not Verdict.FAIL else None
    findings += searched.findings() if searched else []
    return CheckResult(
        check=name,
        provider=provider,
        verdict=_verdict(findings, rows),
        findings=tuple(findings),
        measurements={
            "level": judge.level.to_json(),
            "oracle": judge.oracle.method,
            "gate": {"pass": PASS_GATE, "fail": FAIL_GATE},
            **_worst(rows),
            "placement": dict(facts.placement) if facts else {},
            **({"search": searched.to_json()} if searched else {}),
            "settings": [{"name": setting.name, "worst_ratio": setting.worst_ratio} for setting in settings],
            "probes": rows,
        },
    )


def _swept(trial: Trial, judge: Judge, found: Sequence[Finding]) -> list[Setting]:
    """Judge the model under other settings of the runtime; one that crashes or hangs already is spared that.

    Settings choose the order of additions, so errors there are judged by what rounding alone may do to the source.
    """
    if any(finding.code in ("PA007", "PA008") for finding in found):
        return []
    probes = _telling(judge, found)
    return sweep(trial, judge.level.settings, lambda variant: _judge_all(variant, judge, probes))


def _searched(trial: Trial, judge: Judge, rows: list[dict[str, Any]], effort: Effort) -> Search:
    """Search from the probes that the source takes; the worst input joins them, for other providers to be judged on."""
    ratios = {row["name"]: max((o["ratio"] for o in row["outputs"]), default=0.0) for row in rows}
    taken = [judged.probe for judged in judge.judged if judged.reference is not None]

    def attempt(probe: Probe) -> tuple[Judged, dict[str, Any], list[Finding]]:
        judged = judge.judge(probe)
        return (judged, *_probe(trial, judge, judged, judge.by_conditioning))

    origins = sorted(taken, key=lambda probe: -ratios.get(probe.name, 0.0))
    found = search(judge.interface, origins, attempt, effort, judge.tell)
    if found.worst is not None and found.probe is not None:
        judge.judged.append(replace(found.worst.judged, probe=found.probe))
        rows.append({**found.worst.row, "name": found.name})
    return found


def _telling(judge: Judge, found: Sequence[Finding]) -> list[Judged]:
    """The swept probes, and for each output that is wrong on none of these the first probe on which it is.

    Without that one the model would seem right under every setting, and the optimizer to blame.
    """
    errors = [finding.location for finding in found if finding.severity == "error" and "probe" in finding.location]
    chosen = {judged.probe.name for judged in judge.swept}
    shown = {location.get("output") for location in errors if location["probe"] in chosen}
    for location in errors:
        if location.get("output") not in shown:
            shown.add(location.get("output"))
            chosen.add(location["probe"])
    return [judged for judged in judge.judged if judged.probe.name in chosen]


def _judge_all(trial: Trial, judge: Judge, probes: Sequence[Judged]) -> tuple[list[dict[str, Any]], list[Finding]]:
    judgements = [_probe(trial, judge, judged, judge.by_conditioning) for judged in probes]
    return [row for row, _ in judgements], [finding for _, findings in judgements for finding in findings]


def _unavailable(name: str, provider: str, reason: str) -> CheckResult:
    finding = Finding(code="PA014", severity="warning", message=reason, location={"provider": provider})
    return CheckResult(check=name, provider=provider, verdict=Verdict.INCONCLUSIVE, findings=(finding,))


def _open(trial: Trial, judge: Judge) -> tuple[SessionFacts | None, list[Finding]]:
    """Load the model, and compare its inputs and the provider that it got with what they should be."""
    try:
        facts = trial.facts()
    except (RuntimeRefused, WorkerDied, WorkerTimedOut) as error:
        return None, [_failure(error, "the runtime does not load the model", {})]
    findings = list(_input_findings(facts, judge.interface))
    if facts.providers[0] != PROVIDERS[trial.provider]:
        sentence = f"the session runs on {facts.providers[0]}, but should run on {PROVIDERS[trial.provider]}"
        findings.append(Finding(code="PA013", severity="error", message=sentence))
    return facts, findings


def _input_findings(facts: SessionFacts, interface: Interface) -> list[Finding]:
    got = {name: dtype for name, dtype, _ in facts.inputs}
    wanted = {spec.name: spec.dtype for spec in interface.inputs}
    findings = []
    for name in sorted(set(got) ^ set(wanted)):
        has = (
            "is missing, but the source takes it"
            if name in wanted
            else f"is not the source's, which takes {', '.join(wanted)}"
        )
        findings.append(
            Finding(code="PA012", severity="error", message=f"input {name} {has}", location={"input": name})
        )
    for name in sorted(name for name in set(got) & set(wanted) if got[name] != wanted[name]):
        sentence = f"input {name} is {got[name]}, but should be {wanted[name]}"
        findings.append(Finding(code="PA012", severity="error", message=sentence, location={"input": name}))
    return findings


def _run_probes(trial: Trial, judge: Judge) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Every probe, and the first one again; once the model hangs, the others would only wait as long: not run."""
    rows: list[dict[str, Any]] = []
    findings: list[Finding] = []
    for index, judged in enumerate(judge.judged, 1):
        row, found = _probe(trial, judge, judged, judge.reconsider)
        rows.append(row)
        findings += found
        if any(finding.code == "PA008" for finding in found):
            return rows + [_row(left.probe, "not run") for left in judge.judged[index:]], findings
    return rows, findings + _repeated(trial, judge)


def _row(probe: Probe, status: str) -> dict[str, Any]:
    shapes = {name: list(array.shape) for name, array in probe.feeds.items()}
    return {"name": probe.name, "purpose": probe.purpose, "shapes": shapes, "status": status, "outputs": []}


def _probe(
    trial: Trial, judge: Judge, judged: Judged, reconsider: Callable[[Judged, OutputError], OutputError]
) -> tuple[dict[str, Any], list[Finding]]:
    probe = judged.probe
    if judged.reference is None:
        return {**_row(probe, "refused by the source"), "reason": judged.refusal}, []
    try:
        values = trial.run(probe.feeds)
    except (RuntimeRefused, WorkerDied, WorkerTimedOut) as error:
        return _row(probe, "not run"), [_failure(error, _NOT_RUN, {"probe": probe.name})]
    first = output_errors(values, judged.reference, judge.usual)
    errors = [reconsider(judged, error) if error.ratio > PASS_GATE else error for error in first]
    findings = list(contract_findings(values, judged.reference, probe.name))
    broken = {finding.location["output"] for finding in findings}
    for before, after in zip(first, errors, strict=True):
        doubt = ratio_finding(after, probe.name)
        findings += [doubt] if doubt else [ill_conditioned_finding(after, probe.name)] if after is not before else []
    rows = [error.to_json() for error in errors if error.output not in broken]  # an error says nothing beside a breach
    return {**_row(probe, "judged"), "outputs": rows}, findings


def _repeated(trial: Trial, judge: Judge) -> list[Finding]:
    """The first probe again, and in another session: a model without random operators gives the same."""
    first = next((judged for judged in judge.judged if judged.reference is not None), None)
    if first is None or first.reference is None:
        return []
    feeds = first.probe.feeds
    try:
        reconsider = partial(judge.by_conditioning, first)
        repeats = Repeats(feeds, trial.run(feeds), first.reference, judge.usual, reconsider)
        findings = repeats.again(trial, judge.level.repeats - 1)
        return findings or (repeats.beside(trial) if judge.level.sessions else [])
    except (RuntimeRefused, WorkerDied, WorkerTimedOut) as error:
        return [_failure(error, _NOT_RUN, {"probe": first.probe.name})]


def _failure(error: Exception, sentence: str, location: dict[str, Any]) -> Finding:
    code = {WorkerDied: "PA007", WorkerTimedOut: "PA008"}.get(type(error), "PA006")
    return Finding(code=code, severity="error", message=f"{sentence}: {error}", location=location)


def _once(findings: Sequence[Finding]) -> list[Finding]:
    """One finding a code and output: the worst, or the first, with the names of all probes that show it."""
    grouped: dict[tuple[str, Any], list[Finding]] = {}
    for finding in findings:
        key = (finding.code, finding.location.get("output") or finding.location.get("input"))
        grouped.setdefault(key, []).append(finding)
    return [_merged(group) for group in grouped.values()]


def _merged(group: list[Finding]) -> Finding:
    worst = max(group, key=lambda f: f.evidence.get("ratio", 0.0))
    probes = list(dict.fromkeys(f.location["probe"] for f in group if "probe" in f.location))
    return worst.model_copy(update={"evidence": {**worst.evidence, "probes": probes}}) if len(probes) > 1 else worst


def _verdict(findings: Sequence[Finding], rows: Sequence[dict[str, Any]]) -> Verdict:
    if verdict_of(findings) is Verdict.FAIL:
        return Verdict.FAIL
    judged = any(row["status"] == "judged" for row in rows)
    doubtful = any(finding.code == "PA009" for finding in findings)
    return Verdict.PASS if judged and not doubtful else Verdict.INCONCLUSIVE


def _unjudged(rows: Sequence[dict[str, Any]]) -> list[Finding]:
    """Why the verdict is open where the source took no probe."""
    if not rows or any(row["status"] != "refused by the source" for row in rows):
        return []
    first = rows[0]
    sentence = f"the source takes none of the {len(rows)} probes: {first['reason']}"
    return [Finding(code="PA016", severity="warning", message=sentence, location={"probe": first["name"]})]


def _worst(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The worst ratio with its place, and the tolerances that people who think in atol would need."""
    errors = [(row["name"], OutputError(**output)) for row in rows for output in row["outputs"]]
    if not errors:
        return {}
    probe, worst = max(errors, key=lambda pair: pair[1].ratio)
    return {
        "worst_ratio": worst.ratio,
        "worst_probe": probe,
        "worst_output": worst.output,
        "largest_error": max(error.max_error for _, error in errors),
        "atol": max(error.max_error for _, error in errors),
    }


def judge_interface(source: Source, candidate: Interface) -> Interface:
    """What probes are made from: the source's inputs, with what only the candidate's contract says of them.

    That is ranges, roles, and names and bounds of axes that both have dynamic; an axis that only the source has dynamic
    stays dynamic, so that a frozen one is found.
    """
    known = {spec.name: spec for spec in candidate.inputs}
    inputs = tuple(_contracted(spec, known[spec.name]) if spec.name in known else spec for spec in source.inputs)
    return Interface(inputs, candidate.outputs, candidate.task)


def _contracted(own: TensorSpec, contract: TensorSpec) -> TensorSpec:
    dims = own.dims
    if dims is not None and contract.dims is not None and len(dims) == len(contract.dims):
        pairs = zip(dims, contract.dims, strict=True)
        dims = tuple(theirs if isinstance(ours, Axis) and isinstance(theirs, Axis) else ours for ours, theirs in pairs)
    return replace(own, dims=dims, range=own.range or contract.range, role=own.role or contract.role)
