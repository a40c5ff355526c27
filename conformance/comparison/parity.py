"""Each model against a reference, all on the same probes: the parity check, told output by output."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from assay.conformance.candidate import Candidate
from assay.conformance.comparison.comparison import OutputParity, Parity
from assay.conformance.isolation import Worker
from assay.conformance.parity.explanation import explain, explained
from assay.conformance.parity.judge import Judge, check_parity, judge_interface
from assay.conformance.parity.localisation import Conversions
from assay.conformance.parity.probes import graph_constants
from assay.conformance.result import CheckResult, Finding, Verdict
from assay.converters.sources import Source
from assay.converters.sources.base import SourceError
from assay.specs.errors import AssayError, brief

Tell = Callable[[str], None]
_EXPLAINED_IN = 20.0  # seconds a model: a comparison has many, and is no diagnosis


def judge_of(source: Source, candidate: Candidate, tell: Tell | None = None) -> Judge:
    """The source with its probes; ranges and names of axes are the candidate's where the source does not say them.

    Raises `SourceError` where the source can't judge.
    """
    interface = judge_interface(source, candidate.interface)
    if any(spec.dims is None for spec in interface.inputs):
        sentence = "does not say the shapes of its inputs, and neither does any model; give them with --input"
        raise SourceError(source.name, sentence)
    return Judge(source, interface, tell=tell, constants=graph_constants(candidate.path))


def parity_of(
    judge: Judge,
    reference: str,
    candidate: Candidate,
    provider: str,
    worker: Worker,
    conversions: Conversions | None = None,
) -> Parity:
    """The judgement of the candidate; whatever hinders it is the reason of an inconclusive one.

    With ``conversions`` of the source, a model that fails gets the first node that differs, and the defect by name.
    """
    try:
        check = check_parity(judge, candidate, provider, worker)
        if conversions is not None and check.verdict is Verdict.FAIL:
            check = explained(check, explain(judge, candidate, check, None, _EXPLAINED_IN, conversions))
    except AssayError as error:
        return unjudged(reference, str(error))
    except Exception as error:  # noqa: BLE001 - the isolation boundary: one model's trouble must not end the comparison
        return unjudged(reference, f"the check could not be run: {type(error).__name__}: {brief(error)}")
    return summarized(check, reference, _discrete_outputs(judge))


def unjudged(reference: str, reason: str) -> Parity:
    """No judgement, and why."""
    return Parity(reference=reference, verdict=Verdict.INCONCLUSIVE, reason=reason)


def summarized(check: CheckResult, reference: str, discrete: Iterable[str] = ()) -> Parity:
    """A parity check without its probes' numbers; ``discrete`` names outputs that have no error, but are equal or not.

    What was not judged on any probe, as where the provider is not there, has the first finding as its reason.
    """
    measured = check.measurements
    probes = measured.get("probes", [])
    judged = any(probe["status"] == "judged" for probe in probes)
    hindered = check.verdict is Verdict.INCONCLUSIVE and not judged
    first = next((finding.message for finding in check.findings), "no probe could be judged")
    return Parity(
        reference=reference,
        verdict=check.verdict,
        oracle=measured.get("oracle"),
        gate=measured.get("gate", {}),
        **{key: measured.get(key) for key in ("worst_ratio", "worst_probe", "worst_output", "atol")},
        probes=dict(Counter(probe["status"] for probe in probes)),
        outputs=tuple(_outputs(probes, check.findings, discrete if judged else ())),
        findings=check.findings,
        reason=first if hindered else None,
    )


def _discrete_outputs(judge: Judge) -> list[str]:
    """The outputs of the source that are no floating numbers, in its order."""
    values = next((judged.reference.values for judged in judge.judged if judged.reference is not None), {})
    return [name for name, value in values.items() if value.dtype.kind not in "fV"]


def _outputs(
    probes: Sequence[Mapping[str, Any]], findings: Sequence[Finding], discrete: Iterable[str]
) -> Iterator[OutputParity]:
    worst = _worst_of_each(probes)
    breaches = dict(reversed(list(_breaches(findings))))
    for name in dict.fromkeys((*worst, *discrete, *breaches)):
        probe, error = worst.get(name, (None, {}))
        finding = breaches.get(name)
        yield OutputParity(
            name=name,
            verdict=_verdict(finding),
            ratio=error.get("ratio"),
            probe=finding.location.get("probe", probe) if finding else probe,
            max_error=error.get("max_error"),
            code=finding.code if finding else None,
        )


def _worst_of_each(probes: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """For each output, the probe with its worst ratio and the errors there."""
    worst: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for probe in probes:
        for error in probe["outputs"]:
            if error["output"] not in worst or error["ratio"] > worst[error["output"]][1]["ratio"]:
                worst[error["output"]] = probe["name"], error
    return worst


def _breaches(findings: Sequence[Finding]) -> Iterator[tuple[str, Finding]]:
    """What is more than information about an output, errors first."""
    for severity in ("error", "warning"):
        for finding in (finding for finding in findings if finding.severity == severity):
            if "output" in finding.location:
                yield str(finding.location["output"]), finding


def _verdict(finding: Finding | None) -> Verdict:
    if finding is None:
        return Verdict.PASS
    return Verdict.FAIL if finding.severity == "error" else Verdict.INCONCLUSIVE
