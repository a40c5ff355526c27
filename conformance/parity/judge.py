"""The parity check: candidate against reference, on one provider, over all probes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial, reduce
from typing import Any

import numpy as np

from assay.conformance.candidate import Candidate
from assay.conformance.isolation import Worker, WorkerDied, WorkerTimedOut
from assay.conformance.parity.judged import Judged, settled
from assay.conformance.parity.judgement import FAIL_GATE, PASS_GATE, OutputError, reconsidered
from assay.conformance.parity.levels import kept_probes, level_of
from assay.conformance.parity.noise_floor import Usual, size_of, usual_noise
from assay.conformance.parity.oracle import Noise, Oracle, ReferenceRefused, distance
from assay.conformance.parity.parity_verdict import once, unjudged, verdict, worst
from assay.conformance.parity.probe_run import ProbeRun, failure, open_session, references, run_probe, run_probes
from assay.conformance.parity.probes import REAL_SAMPLES, Probe, make_probes
from assay.conformance.parity.relations import judge_relations
from assay.conformance.parity.repeats import Repeats, same
from assay.conformance.parity.search import Effort, Search, search
from assay.conformance.parity.sweep import Setting, blamed, sweep, sweep_findings
from assay.conformance.parity.unrolled import unrolled_oracle, usual_at_steps
from assay.conformance.parity.weight_findings import Auditor
from assay.conformance.providers.catalogue import why_unavailable
from assay.conformance.providers.runtime import RuntimeRefused
from assay.conformance.providers.trial import Trial
from assay.conformance.remote_source import in_this_process
from assay.conformance.result import CheckResult, Finding, Verdict, verdict_of
from assay.converters.sources import Source, SourceError
from assay.specs.interface import Axis, Interface, TensorSpec

Tell = Callable[[str], None]
_TWINS = 4
_TINY = float(np.finfo(np.float32).tiny)


class Judge:
    """The source with its probes, run once and used for every candidate and provider.

    ``constants`` are whole numbers from the graph of the first candidate, around which sizes are tried.
    """

    def __init__(
        self,
        source: Source,
        interface: Interface,
        samples: Mapping[str, np.ndarray] | None = None,
        tell: Tell | None = None,
        level: str = "default",
        *,
        constants: Sequence[int] = (),
    ) -> None:
        self.source, self.interface, self.level, self.tell = source, interface, level_of(level), tell
        self._spreads: dict[str, Mapping[str, Noise]] = {}
        self._auditor = Auditor(source)
        probes = kept_probes(self.level, make_probes(interface, samples, level=self.level.name, constants=constants))
        roles = {spec.name: spec.role for spec in interface.outputs if spec.role}
        self.oracle = Oracle(source, probes[0].feeds, roles)
        found = (settled(probe, source.run) for probe in probes)
        self.judged = [self.judge(probe) for probe in found if probe is not None]
        self._require_repeatable()
        self.usual = self._usual()

    def reconsider(self, judged: Judged, error: OutputError) -> OutputError:
        """The error judged by the source's conditioning, where that is far worse on this probe than on the first, or
        where the probe is so extreme that it has to be.

        Called for errors above the gate only. A source that is well-conditioned keeps its floor: a defect stays one.
        """
        if judged.probe.extreme:
            return self.by_conditioning(judged, error)
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
    def local_source(self) -> Source:
        """The source in this process, for who needs more than its outputs; raises `AssayError`."""
        return in_this_process(self.source)

    @property
    def first(self) -> Judged | None:
        """The first probe that the source takes."""
        return next((judged for judged in self.judged if judged.reference is not None), None)

    def ignores(self, name: str) -> bool:
        """Whether no output of the source depends on this input, as far as other values of it show."""
        first = self.first
        if first is None or first.reference is None:
            return False
        own = first.probe.feeds[name]
        arrays = [one.probe.feeds[name] for one in self.judged if one.probe.feeds[name].shape == own.shape]
        others = [array for array in arrays if array.dtype == own.dtype and not np.array_equal(array, own)]
        runs = [self.source.run({**first.probe.feeds, name: array}) for array in others[:_TWINS]]
        values = first.reference.values
        return bool(runs) and all(same(run[output], value) for run in runs for output, value in values.items())

    @property
    def swept(self) -> list[Judged]:
        """The probes that are run under every setting: the first that the source takes, and real samples."""
        ran = [judged for judged in self.judged if judged.reference is not None]
        return [*ran[:1], *(judged for judged in ran[1:] if judged.probe.name == REAL_SAMPLES)]

    def audit(self, candidate: Candidate) -> tuple[list[Finding], dict[str, Any]]:
        """What is wrong with the candidate's weights, which no provider changes, and the measurements."""
        first = self.first
        return self._auditor.findings(candidate, None if first is None else first.probe.feeds)

    def by_conditioning(self, judged: Judged, error: OutputError) -> OutputError:
        """The error judged by the source's conditioning on the probe, where that can be had."""
        spread = self._conditioning(judged).get(error.output)
        return error if spread is None else reconsidered(error, spread)

    def _extreme(self, judged: Judged, spread: Mapping[str, Noise]) -> dict[str, Noise]:
        """The spread on an extreme probe, or that under other last bits of the weights, where that is more.

        What cancels in a sum of large terms shows there alone. One twin at a time: a large model fits once more.
        """
        values = judged.reference.values if judged.reference else {}
        widest = {name: spread.get(name, Noise(0.0, 0.0)) for name in values}
        for seed in range(_TWINS):
            twin = self.source.perturbed(seed)
            others = {} if twin is None else twin.run(judged.probe.feeds)
            widest |= {name: _wider(widest[name], distance(other, values[name])) for name, other in others.items()}
        return widest

    def _usual(self) -> Usual:
        single = [one for one in self.judged if one.counts and not one.probe.later]
        usual = usual_noise(references(single), references([one for one in single if one.probe.natural]))
        stepped = (usual_at_steps(usual, one.probe) for one in self.judged if one.probe.later)
        return reduce(lambda a, b: {**a, **b}, stepped, usual)

    def _require_repeatable(self) -> None:
        """A source that is random has a floor as high as its randomness, under which anything would pass."""
        first = self.first
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
            oracle = unrolled_oracle(self.oracle, judged.probe)
            spread = oracle.conditioning(judged.probe.feeds, judged.reference) or {}
            self._spreads[name] = self._extreme(judged, spread) if judged.probe.extreme else spread
        return self._spreads.get(name, {})

    def judge(self, probe: Probe) -> Judged:
        """What the source gives on a probe."""
        if self.tell and not probe.name.startswith("search"):
            self.tell(f"source on probe {probe.name}")
        try:
            return Judged(probe, unrolled_oracle(self.oracle, probe).judge(probe.feeds))
        except ReferenceRefused as refused:
            return Judged(probe, None, str(refused))


def _wider(a: Noise, b: Noise) -> Noise:
    return Noise(max(a.max, b.max), max(a.rms, b.rms))


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
    facts, findings = open_session(trial, judge.interface, judge.ignores)
    unused = (str(finding.location["input"]) for finding in findings if finding.severity == "warning")
    trial = replace(trial, without=frozenset(unused))
    runs = run_probes(trial, judge.judged, judge.usual, judge.reconsider) if facts is not None else []
    found = [finding for run in runs for finding in run.findings] + _repeated(trial, judge, runs)
    settings = _swept(trial, judge, found) if facts is not None else []
    relations, broken = _related(runs, found)
    findings = once([*findings, *blamed(found, settings), *broken, *sweep_findings(settings, found), *unjudged(runs)])
    weights, audited = judge.audit(candidate)
    findings += weights
    searched = _searched(trial, judge, runs, effort) if effort and verdict_of(findings) is not Verdict.FAIL else None
    findings += searched.findings() if searched else []
    return CheckResult(
        check=name,
        provider=provider,
        verdict=verdict(findings, runs),
        findings=tuple(findings),
        measurements={
            "level": judge.level.to_json(),
            "oracle": judge.oracle.method,
            **_conditions(judge.interface),
            "gate": {"pass": PASS_GATE, "fail": FAIL_GATE},
            **worst(runs),
            "placement": dict(facts.placement) if facts else {},
            **({"search": searched.to_json()} if searched else {}),
            "settings": [{"name": setting.name, "worst_ratio": setting.worst_ratio} for setting in settings],
            "relations": relations,
            "weights": audited,
            "probes": [run.row for run in runs],
        },
    )


def _conditions(interface: Interface) -> dict[str, Any]:
    """What limits the verdict."""
    return {"conditions": [str(one) for one in interface.conditions]} if interface.conditions else {}


def _repeated(trial: Trial, judge: Judge, runs: Sequence[ProbeRun]) -> list[Finding]:
    """The first probe again, and in another session, unless the model hangs: one that is not random gives the same."""
    hangs = any(finding.code == "PA008" for run in runs for finding in run.findings)
    first = judge.first
    if first is None or first.reference is None or not runs or hangs:
        return []
    feeds = first.probe.feeds
    try:
        reconsider = partial(judge.by_conditioning, first)
        repeats = Repeats(feeds, trial.run(feeds), first.reference, judge.usual, reconsider)
        findings = repeats.again(trial, judge.level.repeats - 1)
        return findings or (repeats.beside(trial) if judge.level.sessions else [])
    except (RuntimeRefused, WorkerDied, WorkerTimedOut) as error:
        return [failure(error, first.probe)]


def _related(runs: Sequence[ProbeRun], found: Sequence[Finding]) -> tuple[list[dict[str, Any]], list[Finding]]:
    """The relations between probes; a model that is random has none."""
    return ([], []) if any(finding.code == "PA015" for finding in found) else judge_relations(runs)


def _swept(trial: Trial, judge: Judge, found: Sequence[Finding]) -> list[Setting]:
    """Judge the model under other settings of the runtime; one that crashes or hangs already is spared that.

    Settings choose the order of additions, so errors there are judged by what rounding alone may do to the source.
    """
    if any(finding.code in ("PA007", "PA008") for finding in found):
        return []
    probes = _telling(judge, found)
    return sweep(trial, judge.level.settings, lambda variant: _judge_all(variant, judge, probes))


def _searched(trial: Trial, judge: Judge, runs: list[ProbeRun], effort: Effort) -> Search:
    """Search from the probes that the source takes; the worst input joins them, for other providers to be judged on."""
    ratios = {run.row["name"]: max((o["ratio"] for o in run.row["outputs"]), default=0.0) for run in runs}
    taken = [judged.probe for judged in judge.judged if judged.reference is not None]

    def attempt(probe: Probe) -> tuple[Judged, dict[str, Any], list[Finding]]:
        run = run_probe(trial, judge.judge(probe), judge.usual, judge.by_conditioning)
        return run.judged, run.row, list(run.findings)

    origins = sorted(taken, key=lambda probe: -ratios.get(probe.name, 0.0))
    found = search(judge.interface, origins, attempt, effort, judge.tell)
    if found.worst is not None and found.probe is not None:
        judge.judged.append(replace(found.worst.judged, probe=found.probe))
        row = {**found.worst.row, "name": found.name}
        runs.append(ProbeRun(judge.judged[-1], row, found.worst.findings))
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
    runs = [run_probe(trial, judged, judge.usual, judge.by_conditioning) for judged in probes]
    return [run.row for run in runs], [finding for run in runs for finding in run.findings]


def _unavailable(name: str, provider: str, reason: str) -> CheckResult:
    finding = Finding(code="PA014", severity="warning", message=reason, location={"provider": provider})
    return CheckResult(check=name, provider=provider, verdict=Verdict.INCONCLUSIVE, findings=(finding,))


def judge_interface(source: Source, candidate: Interface) -> Interface:
    """What probes are made from: the source's inputs, with what only the candidate's contract says of them.

    That is ranges, roles, and names and bounds of axes that both have dynamic; an axis that only the source has dynamic
    stays dynamic, so that a frozen one is found.
    """
    known = {spec.name: spec for spec in candidate.inputs}
    inputs = tuple(_contracted(spec, known[spec.name]) if spec.name in known else spec for spec in source.inputs)
    axes = Interface(inputs).axes
    conditions = tuple(condition for condition in candidate.conditions if condition.names <= set(axes))
    return Interface(inputs, candidate.outputs, candidate.task, conditions=conditions)


def _contracted(own: TensorSpec, contract: TensorSpec) -> TensorSpec:
    dims = own.dims
    if dims is not None and contract.dims is not None and len(dims) == len(contract.dims):
        pairs = zip(dims, contract.dims, strict=True)
        dims = tuple(theirs if isinstance(ours, Axis) and isinstance(theirs, Axis) else ours for ours, theirs in pairs)
    return replace(own, dims=dims, range=own.range or contract.range, role=own.role or contract.role)
