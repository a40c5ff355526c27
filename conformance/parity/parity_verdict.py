"""From findings to a verdict: what tells the same once, what is still open, and the worst error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assay.conformance.parity.judgement import OutputError, smallest_tolerances
from assay.conformance.parity.probe_run import ProbeRun
from assay.conformance.result import Finding, Verdict, verdict_of

_REFUSED = "refused by the source"


def once(findings: Sequence[Finding]) -> list[Finding]:
    """One finding a code, severity and output: the worst, or the first, with the names of all probes that show it."""
    grouped: dict[tuple[str, str, Any], list[Finding]] = {}
    for finding in findings:
        place = finding.location.get("output") or finding.location.get("input") or finding.location.get("axis")
        grouped.setdefault((finding.code, finding.severity, place), []).append(finding)
    return [_merged(group) for group in grouped.values()]


def _merged(group: list[Finding]) -> Finding:
    worst = max(group, key=lambda f: f.evidence.get("ratio", 0.0))
    probes = list(dict.fromkeys(f.location["probe"] for f in group if "probe" in f.location))
    return worst.model_copy(update={"evidence": {**worst.evidence, "probes": probes}}) if len(probes) > 1 else worst


def verdict(findings: Sequence[Finding], runs: Sequence[ProbeRun]) -> Verdict:
    """Fail on any error; a pass where something was judged and nothing is open."""
    if verdict_of(findings) is Verdict.FAIL:
        return Verdict.FAIL
    judged = any(run.row["status"] == "judged" for run in runs)
    open_ones = any(finding.code in ("PA009", "PA016") for finding in findings if finding.severity != "info")
    return Verdict.PASS if judged and not open_ones else Verdict.INCONCLUSIVE


def unjudged(runs: Sequence[ProbeRun]) -> list[Finding]:
    """Why the verdict is open: the source took no probe, or none in which some axis is off the traced size."""
    if not runs:
        return []
    if all(run.row["status"] == _REFUSED for run in runs):
        sentence = f"the source takes none of the {len(runs)} probes: {runs[0].row['reason']}"
        return [_open(sentence, {"probe": runs[0].row["name"]})]
    axes = dict.fromkeys(axis for run in runs for axis in sorted(run.judged.probe.moved))
    return [finding for axis in axes if (finding := _unmoved(axis, runs)) is not None]


def _unmoved(axis: str, runs: Sequence[ProbeRun]) -> Finding | None:
    moved = [run for run in runs if axis in run.judged.probe.moved]
    if any(run.row["status"] != _REFUSED for run in moved):
        return None
    sentence = (
        f"the axis {axis} is declared dynamic and was judged at its traced size alone, but should be at others too; "
        f"the source takes none of {', '.join(run.row['name'] for run in moved)}: {moved[0].row['reason']}"
    )
    return _open(sentence, {"axis": axis, "probe": moved[0].row["name"]})


def _open(sentence: str, location: dict[str, Any]) -> Finding:
    return Finding(code="PA016", severity="warning", message=sentence, location=location)


def worst(runs: Sequence[ProbeRun]) -> dict[str, Any]:
    """The worst ratio with its place, and the tolerances that people who think in atol would need."""
    errors = [(run.row["name"], OutputError(**output)) for run in runs for output in run.row["outputs"]]
    if not errors:
        return {}
    probe, largest = max(errors, key=lambda pair: pair[1].ratio)
    return {
        "worst_ratio": largest.ratio,
        "worst_probe": probe,
        "worst_output": largest.output,
        "largest_error": max(error.atol for _, error in errors),
        **smallest_tolerances(error for _, error in errors),
    }
