"""The explanation of a failure: where it is, what it is, and, where asked for, a mend and a minimal case.

It comes after the verdict and never changes it. Whatever goes wrong here is a sentence in the measurements.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assay.conformance.candidate import Candidate
from assay.conformance.isolation import Worker
from assay.conformance.parity.diagnoses import Diagnosis, diagnose
from assay.conformance.parity.diagnoses.source_weights import audited_weights, is_weight_error
from assay.conformance.parity.judge import Judge, Tell
from assay.conformance.parity.judged import Judged
from assay.conformance.parity.localisation import Camera, Conversions, Evidence, Place, Target, localise
from assay.conformance.parity.localisation.deadline import Deadline, OutOfTime
from assay.conformance.result import CheckResult, Finding, Verdict
from assay.specs.errors import brief

SECONDS = 60.0
_LARGEST = 1 << 30  # bytes of a model file, beyond which copies of it cost too much
_LONGEST_RUN = 30.0  # seconds: a run that hangs is found out sooner than by the check itself
_REFUSES, _HANGS = "PA006", "PA008"


@dataclass(frozen=True)
class Explanation:
    """What was found out, or the reason why nothing was."""

    evidence: Evidence | None = None
    diagnoses: Sequence[Diagnosis] = ()
    reason: str | None = None

    @property
    def place(self) -> Place | None:
        """Where the defect is; no node where it is the interface's."""
        if self.evidence is None:
            return None
        found = self.evidence.place()
        if any(diagnosis.of_interface for diagnosis in self.diagnoses[:1]):
            return replace(found, node=None, op=None, value=None, module=None, line=None, how="it is in no node")
        return found


def explain(
    judge: Judge,
    candidate: Candidate,
    check: CheckResult,
    tell: Tell | None = None,
    seconds: float = SECONDS,
    conversions: Conversions | None = None,
) -> Explanation:
    """Localise and name what a failed check found; within so many seconds, and without raising.

    ``conversions`` of the source are made where none are given; several candidates may share them.
    """
    reason = _why_not(candidate, check)
    if reason is not None:
        return Explanation(reason=reason)
    audited = list(audited_weights(check.findings, judge.source, candidate.path))
    if audited and all(map(is_weight_error, _errors(check.findings))):
        return Explanation(diagnoses=audited)
    judged = _telling_probe(judge, check.findings)
    if judged is None:
        return Explanation(reason="the source takes none of the probes")
    if tell:
        tell(f"looking for the node at fault on probe {judged.probe.name}")
    try:
        with (
            Worker(_LONGEST_RUN) as worker,
            tempfile.TemporaryDirectory(prefix="assay-", ignore_cleanup_errors=True) as folder,
        ):
            inside, fresh = Path(folder) / "runs", Path(folder) / "conversions"
            inside.mkdir()
            shared = conversions or Conversions(judge.source, candidate.interface.task, fresh)
            camera = Camera(worker, inside, Deadline(seconds), check.provider or "cpu")
            evidence = localise(Target(judge, candidate, judged, _not_loaded(check.findings)), shared, camera)
        return Explanation(evidence, _with_audited(diagnose(evidence), audited))
    except OutOfTime as late:
        return Explanation(reason=str(late))
    except Exception as error:  # noqa: BLE001 - a verdict stands, whatever its explanation meets
        return Explanation(reason=f"{type(error).__name__}: {brief(error)}")


def explained(check: CheckResult, explanation: Explanation) -> CheckResult:
    """The check with its findings placed, one finding of where it is (PA026), and one of each diagnosis (PA027)."""
    place, evidence = explanation.place, explanation.evidence
    if place is None or evidence is None:
        named = _named(check, explanation)
        return _measured(named, {"reason": explanation.reason}) if explanation.reason else named
    findings = [_placed(finding, place, evidence) for finding in check.findings]
    told = {**place.to_json(), "probe": evidence.probe, "reference": _reference(evidence), **_ratio(evidence)}
    findings += _where(place, told)
    placed = check.model_copy(update={"findings": tuple(findings)})
    return _measured(_named(placed, explanation), told)


def _named(check: CheckResult, explanation: Explanation) -> CheckResult:
    """With a finding of each diagnosis; several mends of one defect are one."""
    named = {diagnosis.message: diagnosis.finding() for diagnosis in explanation.diagnoses}
    return check.model_copy(update={"findings": (*check.findings, *named.values())})


def _with_audited(located: list[Diagnosis], audited: list[Diagnosis]) -> list[Diagnosis]:
    """Those of the audit first, for they are surest, where a weight is among them that the others do not name."""
    named = {name for one in located for name in one.evidence.get("weights", ())}
    return [*(one for one in audited if not named.issuperset(one.evidence["weights"])), *located]


def _why_not(candidate: Candidate, check: CheckResult) -> str | None:
    if check.verdict is Verdict.PASS or not check.findings:
        return "nothing is wrong"
    if any(finding.code == _HANGS for finding in check.findings):
        return "a model that hangs is not run again"
    size = candidate.path.stat().st_size
    return f"the model has {size:,} bytes, and is too large to be copied" if size > _LARGEST else None


def _not_loaded(findings: Iterable[Finding]) -> bool:
    return any(finding.code == _REFUSES and "probe" not in finding.location for finding in findings)


def _telling_probe(judge: Judge, findings: Iterable[Finding]) -> Judged | None:
    """A probe that fails: of natural size of values before others, of small arrays before large ones."""
    ran = {judged.probe.name: judged for judged in judge.judged if judged.reference is not None}
    faults = _errors(findings) or list(findings)
    named = [name for finding in faults for name in _probes(finding) if name in ran]
    failing = [ran[name] for name in dict.fromkeys(named)] or list(ran.values())[:1]
    return min(failing, key=lambda judged: (not judged.probe.natural, _size(judged)), default=None)


def _errors(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity == "error"]


def _probes(finding: Finding) -> list[str]:
    listed = finding.evidence.get("probes")
    return [str(name) for name in listed] if listed else [str(finding.location.get("probe", ""))]


def _size(judged: Judged) -> int:
    return sum(array.size for array in judged.probe.feeds.values())


def _placed(finding: Finding, place: Place, evidence: Evidence) -> Finding:
    if finding.severity != "error" or not _leads_to(finding, place, evidence):
        return finding
    return finding.model_copy(update={"location": {**finding.location, **place.location()}})


def _leads_to(finding: Finding, place: Place, evidence: Evidence) -> bool:
    """Whether the node at fault is among what the finding's output is computed from."""
    output = finding.location.get("output")
    own = evidence.own_names.get(str(output), str(output))
    return output is None or place.value is None or place.value in evidence.candidate.ancestors([own])


def _where(place: Place, told: Mapping[str, Any]) -> Iterator[Finding]:
    if place.node is None:
        return
    code = ", ".join(part for part in (place.module, place.line) if part)
    sentence = f"{place.op} {place.node} is the first node that differs from the source" + (
        f" ({code})" if code else ""
    )
    yield Finding(code="PA026", severity="info", message=sentence, location=place.location(), evidence=dict(told))


def _reference(evidence: Evidence) -> str:
    return f"converted by {evidence.healthy.exporter}" if evidence.healthy else "the source's own operations"


def _ratio(evidence: Evidence) -> dict[str, Any]:
    ratio = evidence.guilty.ratio if evidence.guilty else None
    return {} if ratio is None or ratio == float("inf") else {"ratio": ratio}


def _measured(check: CheckResult, told: Mapping[str, Any]) -> CheckResult:
    return check.model_copy(update={"measurements": {**check.measurements, "localisation": dict(told)}})
