"""The sweep: the model under other settings of the runtime, where a difference is a defect though one of them be right.

A difference that the graph optimizer makes is its own; one that is there without it is the export's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from assay.conformance.isolation import WorkerDied, WorkerTimedOut
from assay.conformance.parity.levels import UNOPTIMIZED
from assay.conformance.parity.weight_findings import OTHER_WEIGHT
from assay.conformance.providers.runtime import close_sessions
from assay.conformance.providers.trial import Trial
from assay.conformance.result import CheckResult, Finding, Verdict

_SETTINGS: dict[str, dict[str, Any]] = {
    UNOPTIMIZED: {"optimization": "disable"},
    "with basic graph optimization": {"optimization": "basic"},
    "with extended graph optimization": {"optimization": "extended"},
    "on one thread": {"threads": 1},
}


@dataclass(frozen=True)
class Setting:
    """What was found under one setting of the runtime."""

    name: str
    findings: tuple[Finding, ...]
    worst_ratio: float | None

    @property
    def wrong(self) -> set[str]:
        """The outputs that are wrong there; the empty name stands for a model that does not run."""
        errors = (f for f in self.findings if f.severity == "error" and f.code != OTHER_WEIGHT)
        return {str(f.location.get("output", "")) for f in errors}


def sweep(
    trial: Trial, names: Sequence[str], run: Callable[[Trial], tuple[list[dict[str, Any]], list[Finding]]]
) -> list[Setting]:
    """The settings of these names. ``run`` judges a trial on a few probes.

    Sessions are closed after each setting, so that two never stay open.
    """
    settings = []
    for name in names:
        rows, findings = run(replace(trial, **_SETTINGS[name]))
        ratios = [output["ratio"] for row in rows for output in row["outputs"]]
        settings.append(Setting(name, tuple(findings), max(ratios, default=None)))
        close(trial)
    return settings


def close(trial: Trial) -> None:
    """Close the worker's sessions; where it died or hangs that was found already, and the next call starts another."""
    with suppress(WorkerDied, WorkerTimedOut):
        trial.worker.call(close_sessions)


def sweep_findings(settings: Sequence[Setting], default: Sequence[Finding]) -> list[Finding]:
    """PA019 for each output that is right by default and wrong under another setting.

    A doubt between the gates is none here: it would be about a setting in which nobody runs the model.
    """
    wrong = Setting("default", tuple(default), None).wrong
    found: dict[str, tuple[Setting, Finding]] = {}
    for setting in settings:
        for finding in setting.findings:
            output = str(finding.location.get("output", ""))
            if finding.severity == "error" and output not in wrong:
                found.setdefault(output, (setting, finding))
    return [_differing(setting, finding) for setting, finding in found.values()]


def blamed(findings: Sequence[Finding], settings: Sequence[Setting]) -> list[Finding]:
    """Each finding of the default settings with who is to blame: ``optimizer`` where the model is right without it."""
    unoptimized = next((setting for setting in settings if setting.name == UNOPTIMIZED), None)
    if unoptimized is None:
        return list(findings)
    return [_blamed(finding, unoptimized.wrong) for finding in findings]


def _blamed(finding: Finding, wrong: set[str]) -> Finding:
    if finding.severity != "error":
        return finding
    blame = "export" if str(finding.location.get("output", "")) in wrong else "optimizer"
    return finding.model_copy(update={"evidence": {**finding.evidence, "blame": blame}})


def blame_providers(checks: Sequence[CheckResult]) -> list[CheckResult]:
    """The checks with ``provider`` blamed for what is wrong there and right on the CPU, where that was judged."""
    cpu = next(
        (check for check in checks if check.provider == "cpu" and check.verdict is not Verdict.INCONCLUSIVE), None
    )
    if cpu is None:
        return list(checks)
    wrong = Setting("cpu", cpu.findings, None).wrong
    return [check if check is cpu else _providers_own(check, wrong) for check in checks]


def _providers_own(check: CheckResult, wrong: set[str]) -> CheckResult:
    findings = [
        finding.model_copy(update={"evidence": {**finding.evidence, "blame": "provider"}})
        if finding.severity == "error"
        and finding.code != OTHER_WEIGHT
        and str(finding.location.get("output", "")) not in wrong
        else finding
        for finding in check.findings
    ]
    return check.model_copy(update={"findings": tuple(findings)})


def _differing(setting: Setting, finding: Finding) -> Finding:
    return finding.model_copy(
        update={
            "code": "PA019",
            "message": f"{setting.name}, {finding.message}; by default it is right",
            "evidence": {**finding.evidence, "setting": setting.name, "blame": "runtime"},
        }
    )
