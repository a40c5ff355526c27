"""The rules of the profile, as data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from assay.specs.data import PROFILE, UnknownNameError, load_yaml

Severity = Literal["error", "warning", "info"]
Level = Literal["core", "quantized", "certified", "accelerated", "portable"]


@dataclass(frozen=True)
class Rule:
    """One clause of the profile: what must hold, why, an example of a finding, and how to mend it."""

    code: str
    name: str
    severity: Severity
    level: Level
    must: str
    why: str
    example: str
    mend: str
    since: str
    references: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """The two letters of the code."""
        return self.code[:2]

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Rule:
        """The rule that one entry of ``rules.yaml`` states."""
        return cls(**{**data, "references": tuple(data.get("references", ()))})


@cache
def load_rules() -> dict[str, Rule]:
    """All rules by code, in the order of their codes."""
    rules = [Rule.from_data(entry) for entry in load_yaml(PROFILE / "rules.yaml")]
    return {rule.code: rule for rule in sorted(rules, key=lambda rule: rule.code)}


def rule(code: str) -> Rule:
    """The rule with this code, whatever its case; raises `UnknownNameError`."""
    try:
        return load_rules()[code.upper()]
    except KeyError:
        raise UnknownNameError("rule", code, tuple(load_rules())) from None
