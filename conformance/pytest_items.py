"""A manifest as a pytest file, and each step of its plan as an item."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from assay.conformance.pytest_evidence import Evidence, Sentences, lines_of, unjudged, with_evidence, without_model
from assay.specs.errors import AssayError

if TYPE_CHECKING:
    from assay.conformance.certification import Certification, Step
    from assay.conformance.manifest import Manifest
    from assay.conformance.result import CheckResult, Result

_OPENING = ("convert", "open")


class NotPassedError(Exception):
    """A check whose verdict is no pass."""

    def __init__(self, check: CheckResult) -> None:
        super().__init__(check)
        self.check = check


class NotRunError(AssayError):
    """A step that needs the model, where the model could not be had."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"not run, because there is no model: {self.reason}"


class ManifestFile(pytest.File):
    """One manifest: holds the certification from the first of its steps that runs to the last."""

    manifest: Manifest
    _certification: Certification | None = None
    _opened: CheckResult | AssayError | None = None
    _blank: Result | None = None

    def collect(self) -> Iterator[StepItem]:
        """One item a step; raises `AssayError` where the manifest can't be read."""
        from assay.conformance.certification import plan
        from assay.conformance.manifest import load_manifest
        from assay.conformance.providers.catalogue import require_known

        manifest = load_manifest(self.path)
        providers = dict.fromkeys(self.config.getoption("assay_provider") or manifest.providers)
        require_known(tuple(providers))
        self.manifest = manifest.model_copy(update={"providers": list(providers)})
        for index, step in enumerate(plan(self.manifest)):
            yield StepItem.from_parent(self, name=step.name, step=step, index=index)

    def teardown(self) -> None:
        """End the worker process and remove the working folder; pytest calls this after -x and an interrupt too."""
        if self._certification is not None:
            self._certification.close()
        self._certification = self._opened = self._blank = None

    @property
    def certification(self) -> Certification:
        """The manifest's certification, begun by the first step that needs it."""
        from assay.conformance.certification import Certification

        if self._certification is None:
            trust = self.config.getoption("assay_trust_source")
            self._certification = Certification(self.manifest, trust_source=trust)
        return self._certification

    def open(self) -> CheckResult:
        """Run the first step, which has the model made; what comes of it, an error too, is kept and not tried again."""
        from assay.conformance.certification import plan

        if self._opened is None:
            try:
                self._opened = self.certification.run(plan(self.manifest)[0])
            except AssayError as error:
                self._opened = error.with_traceback(None)  # whose frames would keep the model alive
        if isinstance(self._opened, AssayError):
            raise self._opened
        return self._opened

    def result(self, check: CheckResult) -> Result:
        """The check with the model's files, the source and the machine."""
        from assay.conformance.result import Result

        if self._blank is None:
            self._blank = self._facts()
        return Result.of([check], self._blank.model, self._blank.reference, self._blank.environment)

    def sentence(self, error: BaseException) -> str:
        """What the error says, with paths as short as pytest writes them."""
        return str(error).replace(f"{self.config.rootpath}{os.sep}", "")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:  # type: ignore[override]  # as pytest
        """A manifest that can't be read is told in one sentence."""
        if isinstance(excinfo.value, AssayError):
            return Sentences([("error:", self.sentence(excinfo.value))])
        return super().repr_failure(excinfo)

    def with_evidence(self, report: pytest.CollectReport) -> pytest.CollectReport:
        """The report with what the report folder has to say of a manifest that can't be read."""
        result = without_model(self.path.name, self.nodeid, unjudged("open", None, _first_line(report)))
        return with_evidence(report, Evidence(self.path.name, 0, _lines(report), result.to_json()))

    def _facts(self) -> Result:
        blank = without_model(self.manifest.name, self.manifest.source)
        if self._opened is None or isinstance(self._opened, AssayError) or self._opened.verdict != "pass":
            return blank
        try:
            with _warnings_as_usual():
                return self.certification.result([])
        except Exception:  # noqa: BLE001 - a source that can't be opened has its finding; here it is only described
            return blank.model_copy(update={"model": self.certification.candidate.files()})


class StepItem(pytest.Item):
    """One step: passes, or fails with its findings."""

    check: CheckResult | None = None

    def __init__(self, *, step: Step, index: int, **options: Any) -> None:
        super().__init__(**options)
        self.step, self.index = step, index
        self.add_marker("assay")
        self.add_marker(step.check.partition(":")[0])
        self.extra_keyword_matches.add(self.manifest_file.manifest.name)
        if self.config.pluginmanager.hasplugin("xdist"):
            self.add_marker(pytest.mark.xdist_group(self.manifest_file.manifest.name))

    @property
    def manifest_file(self) -> ManifestFile:
        """The manifest that asks for the step."""
        assert isinstance(self.parent, ManifestFile)
        return self.parent

    def setup(self) -> None:
        """Have the model, unless that is the step itself; raises `NotRunError` where it can't be had."""
        if self.step.check in _OPENING:
            return
        try:
            with _warnings_as_usual():
                opened = self.manifest_file.open()
        except AssayError as error:
            raise NotRunError(str(error)) from error
        if opened.verdict != "pass":
            raise NotRunError(Sentences(lines_of(opened)).first)

    def runtest(self) -> None:
        """Run the step; raises `NotPassedError` where its verdict is no pass."""
        with _warnings_as_usual():
            opening = self.step.check in _OPENING
            self.check = self.manifest_file.open() if opening else self.manifest_file.certification.run(self.step)
        if self.check.verdict == "inconclusive" and self._may_be_inconclusive:
            pytest.skip(Sentences(lines_of(self.check)).first)
        if self.check.verdict != "pass":
            raise NotPassedError(self.check)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the step stands, and its headline."""
        return self.path, 0, f"{self.manifest_file.manifest.name}: {self.name}"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Findings and errors on purpose as sentences; a traceback for nothing but a defect of the harness."""
        if isinstance(excinfo.value, NotPassedError):
            return Sentences(lines_of(excinfo.value.check))
        if isinstance(excinfo.value, AssayError):
            return Sentences([("error:", self.manifest_file.sentence(excinfo.value))])
        return super().repr_failure(excinfo, style)

    def with_evidence(self, report: pytest.TestReport, call: pytest.CallInfo[None]) -> pytest.TestReport:
        """The report of the phase that decides with what the step found; that of a skip with its place."""
        if report.when == "teardown" or (report.when == "setup" and report.passed):
            return report
        if call.excinfo is not None and isinstance(call.excinfo.value, NotRunError):  # pytest asks for a traceback here
            report.longrepr = self.repr_failure(call.excinfo)
        if isinstance(report.longrepr, tuple):
            report.longrepr = (str(self.path), 1, report.longrepr[2])
        if report.passed and self.check is not None and (lines := lines_of(self.check)):
            report.sections.append(("assay", str(Sentences(lines))))
        check = self.check or unjudged(self.step.check, self.step.provider, _first_line(report))
        manifest_file = self.manifest_file
        result = manifest_file.result(check).to_json() if self.config.getoption("assay_report") else None
        return with_evidence(report, Evidence(manifest_file.manifest.name, self.index, _lines(report), result))

    @property
    def _may_be_inconclusive(self) -> bool:
        config = self.config
        return bool(config.getoption("assay_allow_inconclusive") or config.getini("assay_allow_inconclusive"))


def _lines(report: pytest.TestReport | pytest.CollectReport) -> list[tuple[str, str]]:
    said: object = report.longrepr
    return said.lines if isinstance(said, Sentences) else []


def _first_line(report: pytest.TestReport | pytest.CollectReport) -> str:
    said: object = report.longrepr
    return said.first if isinstance(said, Sentences) else str(said).strip().rpartition("\n")[2]


@contextmanager
def _warnings_as_usual() -> Iterator[None]:
    """Python's own filters: a project's ``filterwarnings = error`` is meant for its code, and changes no verdict."""
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        for kind in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", kind)
        yield
