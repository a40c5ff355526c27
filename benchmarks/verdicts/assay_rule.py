"""Assay on trial: ``assay.lint`` and ``assay.check`` on a case, with the work on the source done once a model."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from assay.conformance.candidate import Candidate, open_candidate
from assay.conformance.isolation import Worker
from assay.conformance.lint import lint
from assay.conformance.parity.explanation import Explanation, explain, explained
from assay.conformance.parity.judge import Judge, check_parity, judge_interface
from assay.conformance.parity.localisation.healthy import Conversions
from assay.conformance.parity.probes import graph_constants
from assay.conformance.parity.repair import Workshop
from assay.conformance.result import CheckResult, Finding, Verdict
from assay.converters.bundle import open_bundle
from assay.converters.sources import Source
from assay.specs.errors import AssayError
from verdicts.mending import Mended, mend


@dataclass(frozen=True)
class Ruling:
    """Assay's conclusion: ``pass``, ``fail``, ``inconclusive`` or ``refused``; why, where, and in how many seconds."""

    verdict: str
    codes: tuple[str, ...]
    ratio: float | None
    node: str | None
    seconds: float
    message: str = ""
    repair: Mended | None = None

    def to_json(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)


class Assayer:
    """Judges the cases of one source; the judge with its probes is made once."""

    def __init__(self, source: Source, healthy: Path, worker: Worker, folder: Path) -> None:
        self.worker, self._folder = worker, folder
        bundle = open_bundle(healthy)
        constants = graph_constants(bundle.model)
        self.judge = Judge(source, judge_interface(source, bundle.interface), constants=constants)
        self.known = {_key(finding) for finding in _errors(lint(healthy))}
        self._conversions: Conversions | None = None

    def rule(self, path: Path, locate: bool = False, repair_to: Path | None = None) -> Ruling:
        """The ruling on a bundle or file; ``locate`` asks for the guilty node too, where Assay can tell it.

        ``repair_to`` is the folder that a killed model is repaired to, if that is asked for.
        """
        start = time.perf_counter()
        try:
            contract = self._broken(path)
            candidate = open_candidate(str(path))
            check = check_parity(self.judge, candidate, "cpu", self.worker)
        except AssayError as error:
            seconds = time.perf_counter() - start
            given_up = None if repair_to is None else Mended(False, (), "the file is refused", 0.0)
            return Ruling("refused", (), None, None, seconds, str(error)[:300], given_up)
        ruling = self._ruling(check, contract, time.perf_counter() - start)
        if ruling.verdict != "fail" or not (locate or repair_to):
            return ruling
        explanation = self._explanation(check, candidate)
        if check.verdict is Verdict.FAIL and locate:
            told = explained(check, explanation)
            ruling = replace(ruling, node=_node([*told.findings, *contract]))
        return ruling if repair_to is None else replace(ruling, repair=self._mended(candidate, explanation, repair_to))

    def _ruling(self, check: CheckResult, contract: Sequence[Finding], seconds: float) -> Ruling:
        errors = [*contract, *_errors(check.findings)]
        first = errors[0] if errors else next(iter(check.findings), None)
        return Ruling(
            str(Verdict.FAIL if contract else check.verdict),
            tuple(dict.fromkeys(finding.code for finding in errors)),
            check.measurements.get("worst_ratio"),
            _node([*check.findings, *contract]),
            seconds,
            "" if first is None else first.message[:300],
        )

    def _broken(self, path: Path) -> list[Finding]:
        """The errors of the contract that the healthy bundle does not have."""
        return [finding for finding in _errors(lint(path)) if _key(finding) not in self.known]

    def _mended(self, candidate: Candidate, explanation: Explanation, output: Path) -> Mended:
        workshop = Workshop(self.judge, self.worker, ("cpu",))
        return mend(workshop, candidate, explanation, output, lambda path: [f.message for f in self._broken(path)])

    def _explanation(self, check: CheckResult, candidate: Candidate) -> Explanation:
        """The explanation that `assay.check` gives of a failure."""
        if self._conversions is None:
            folder = Path(tempfile.mkdtemp(dir=self._folder))
            self._conversions = Conversions(self.judge.source, candidate.interface.task, folder)
        return explain(self.judge, candidate, check, conversions=self._conversions)


def _errors(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity == "error"]


def _key(finding: Finding) -> tuple[str, str]:
    return finding.code, finding.message


def _node(findings: Sequence[Finding]) -> str | None:
    """The first node that a finding names."""
    named = (finding.location.get("node") for finding in findings)
    return next((str(node) for node in named if node), None)
