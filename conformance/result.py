"""A result is a value (schema ``assay.result/v1``): checks with verdicts and findings; renderers recompute nothing."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Severity = Literal["error", "warning", "info"]


class Verdict(StrEnum):
    """What a check concludes; an error that hinders judgement is never a pass."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"

    @property
    def exit_status(self) -> int:
        """The exit status of a command that ends with this verdict."""
        return {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 3}[self]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Finding(_Value):
    """One thing that a check found: rule code, severity, one sentence, where, and what shows it."""

    code: str
    severity: Severity
    message: str
    location: dict[str, Any] = Field(default_factory=dict)
    evidence: dict[str, Any] = Field(default_factory=dict)


class CheckResult(_Value):
    """What one check says of a model on one provider (None: the check needs no provider)."""

    check: str
    provider: str | None = None
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    measurements: dict[str, Any] = Field(default_factory=dict)


class FileDigest(_Value):
    """One file of the model, by its name in the bundle; size in bytes."""

    name: str
    sha256: str
    size: int


class ModelFiles(_Value):
    """The files of the model on trial."""

    files: tuple[FileDigest, ...]
    name: str | None = None


class Result(_Value):
    """All checks of one model, and the verdict that follows from them."""

    schema_: Literal["assay.result/v1"] = Field(default="assay.result/v1", alias="schema")
    verdict: Verdict
    stage: str | None
    model: ModelFiles
    reference: dict[str, Any]
    environment: dict[str, Any]
    checks: tuple[CheckResult, ...]

    @classmethod
    def of(
        cls, checks: Iterable[CheckResult], model: ModelFiles, reference: dict[str, Any], environment: dict[str, Any]
    ) -> Result:
        """The result of these checks, in the order in which they ran."""
        ran = tuple(checks)
        verdict = overall(check.verdict for check in ran)
        stage = next((check.check for check in ran if check.verdict is verdict), None)
        return cls(
            verdict=verdict,
            stage=None if verdict is Verdict.PASS else stage,
            model=model,
            reference=reference,
            environment=environment,
            checks=ran,
        )

    def to_json(self) -> str:
        """The result as JSON text."""
        return self.model_dump_json(by_alias=True, indent=2)

    def file_text(self) -> str:
        """The content of a result file, to whose digest the certificate refers."""
        return self.to_json() + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Result:
        """Read back what `to_json` wrote; raises pydantic's ValidationError where the text is no result."""
        return cls.model_validate_json(text)


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of several: one fail fails all, else one inconclusive leaves all open; of none, inconclusive."""
    seen = set(verdicts)
    if Verdict.FAIL in seen:
        return Verdict.FAIL
    return Verdict.PASS if seen == {Verdict.PASS} else Verdict.INCONCLUSIVE


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """Fail where any finding is an error."""
    return Verdict.FAIL if any(finding.severity == "error" for finding in findings) else Verdict.PASS
