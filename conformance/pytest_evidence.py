"""What a pytest report says of a step, in plain values that pytest-xdist carries: sentences, and a result as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

if TYPE_CHECKING:
    from assay.conformance.result import CheckResult, Result

Report = TypeVar("Report", bound=pytest.TestReport | pytest.CollectReport)

_MARKUP = {
    "error": {"red": True, "bold": True},
    "inconclusive": {"yellow": True, "bold": True},
    "warning": {"yellow": True},
    "info": {"cyan": True},
}


@dataclass(frozen=True)
class Crash:
    """The line that pytest shows in its short summary and in JUnit's ``message``."""

    message: str

    def __str__(self) -> str:
        return self.message


class Sentences:
    """What pytest prints in place of a traceback: lines of a word, which has a colour, and of what it tells."""

    def __init__(self, lines: Sequence[Sequence[str]]) -> None:
        self.lines = [(word, text) for word, text in lines]
        self.reprcrash = Crash(self.first)

    @property
    def first(self) -> str:
        """The first line; an error's without the word, since pytest says itself that it failed."""
        word, text = self.lines[0]
        return text if word.startswith("error") else f"{word} {text}".strip()

    def __str__(self) -> str:
        return "\n".join(f"{word} {text}".strip() for word, text in self.lines)

    def toterminal(self, terminal: Any) -> None:
        """Print with pytest's terminal writer; where it writes colours, for people, lines are broken between words."""
        for word, text in self.lines:
            line = f"{word} {text}".strip()
            shown = textwrap.wrap(line, terminal.fullwidth - 1, **_WRAPPING) if terminal.hasmarkup else [line]
            terminal.write(word, **_MARKUP.get(word.rstrip(":"), {}))
            terminal.line("\n".join(shown).removeprefix(word))


_WRAPPING: dict[str, Any] = {"subsequent_indent": "  ", "break_long_words": False, "break_on_hyphens": False}


@dataclass(frozen=True)
class Evidence:
    """What goes along with the report of a step; ``result`` is this one check as a result in JSON, if asked for."""

    manifest: str
    index: int
    lines: list[tuple[str, str]]
    result: str | None = None


def with_evidence(report: Report, evidence: Evidence) -> Report:
    """The report with its evidence, in an attribute that pytest-xdist carries over."""
    vars(report)["assay"] = asdict(evidence)
    return report


def evidence_of(report: pytest.TestReport | pytest.CollectReport) -> Evidence | None:
    """The evidence of a report, here or from a worker."""
    found = vars(report).get("assay")
    return None if found is None else Evidence(**found)


def explained(report: Report) -> Report:
    """The report with its sentences, which pytest-xdist carries over as bare text."""
    evidence = evidence_of(report)
    if evidence is not None and evidence.lines and isinstance(report.longrepr, str):
        vars(report)["longrepr"] = Sentences(evidence.lines)
    return report


def lines_of(check: CheckResult) -> list[tuple[str, str]]:
    """The findings of a check, errors first, then what it measured."""
    from assay.conformance.reports.sentences import failure_sentence, finding_sentence, measured_sentence
    from assay.conformance.result import Verdict

    order = {"error": 0, "warning": 1, "info": 2}
    findings = sorted(check.findings, key=lambda finding: order[finding.severity])
    lines: list[tuple[str, str]] = [(finding.severity, finding_sentence(finding)) for finding in findings]
    if check.verdict is Verdict.INCONCLUSIVE or not (findings or check.verdict is Verdict.PASS):
        lines[:1] = [(f"{check.verdict.value}:", failure_sentence(check))]
    measured = measured_sentence(check)
    return [*lines, *([("measured:", measured)] if measured else [])]


def unjudged(check: str, provider: str | None, sentence: str) -> CheckResult:
    """A check that an error kept from judging: never a pass."""
    from assay.conformance.result import CheckResult, Finding, Verdict

    finding = Finding(code="PA016", severity="warning", message=f"the check could not be run: {sentence}")
    return CheckResult(check=check, provider=provider, verdict=Verdict.INCONCLUSIVE, findings=(finding,))


def without_model(name: str, source: str, *checks: CheckResult) -> Result:
    """A result of a manifest whose model could not be had: no file is vouched for."""
    from assay.conformance.environment import describe_environment
    from assay.conformance.result import ModelFiles, Result

    return Result.of(checks, ModelFiles(name=name, files=()), {"source": source}, describe_environment())
