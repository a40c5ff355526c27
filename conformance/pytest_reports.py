"""The report folder of a pytest run: gathers the evidence of all manifests, from workers too, and writes it once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assay.conformance.pytest_evidence import Evidence, evidence_of, unjudged, without_model
from assay.specs.errors import AssayError

if TYPE_CHECKING:
    from assay.conformance.result import Result

_LAST = 10**6


class ReportFolder:
    """Writes the reports when the session ends, however it ends."""

    def __init__(self, folder: Path, suffix: str) -> None:
        self.folder, self.suffix = folder, suffix
        self.error: AssayError | None = None
        self._evidence: dict[str, dict[str, Evidence]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a step found; a step without evidence is one whose process died."""
        path, _, step = report.nodeid.partition("::")
        evidence = evidence_of(report)
        if evidence is None and report.failed and path.endswith(self.suffix):
            evidence = _of_dead_process(path, step, str(report.longrepr))
        if evidence is not None:
            self._evidence.setdefault(path, {})[step] = evidence

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep why a manifest can't be read."""
        evidence = evidence_of(report)
        if evidence is not None:
            self._evidence.setdefault(report.nodeid, {})[""] = evidence

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the folder; a run whose reports can't be written does not pass."""
        if not self._evidence:
            return
        from assay.conformance.reports import write_reports

        try:
            write_reports([_merged(list(found.values())) for _, found in sorted(self._evidence.items())], self.folder)
        except AssayError as error:
            self.error = error
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say where the report lies, or why there is none."""
        if self.error is not None:
            terminalreporter.write_line(f"assay report: {self.error}", red=True)
        elif self._evidence:
            terminalreporter.write_line(f"assay report: {_short(self.folder / 'report.html')}")
        else:
            terminalreporter.write_line("assay report: not written, because no step of a manifest ran", yellow=True)


def _merged(evidence: list[Evidence]) -> tuple[str, Result]:
    """One result of the checks of a manifest that ran, in the order of its plan."""
    from assay.conformance.result import Result

    ordered = sorted(evidence, key=lambda found: found.index)
    results = [Result.from_json(found.result) for found in ordered if found.result is not None]
    known = [result for result in results if result.model.files]
    first = next(iter(known), results[0])
    checks = [check for result in results for check in result.checks]
    if any(result.model.files != first.model.files for result in known):
        checks.append(unjudged("files", None, "the worker processes of pytest-xdist got models of different bytes"))
    return ordered[0].manifest, Result.of(checks, first.model, first.reference, first.environment)


def _of_dead_process(path: str, step: str, sentence: str) -> Evidence:
    check, _, provider = step.partition("@")[0].removesuffix("]").partition("[")
    result = without_model(Path(path).name, path, unjudged(check, provider or None, sentence))
    return Evidence(Path(path).name, _LAST, [], result.to_json())


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
