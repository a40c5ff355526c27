"""Levels of conformance: what a model claims, and which rules count for the claim."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from assay.specs.data import PROFILE, UnknownNameError, load_yaml
from assay.specs.rules import Rule, load_rules


@dataclass(frozen=True)
class ConformanceLevel:
    """A claim: its meaning, the levels of rules that count for it, and what more must be shown."""

    name: str
    meaning: str
    includes: tuple[str, ...]
    evidence: tuple[str, ...]

    def rules(self) -> tuple[Rule, ...]:
        """The rules that count for the claim, in the order of their codes."""
        return tuple(rule for rule in load_rules().values() if rule.level in self.includes)


@cache
def load_levels() -> dict[str, ConformanceLevel]:
    """All levels by name, in the order of the file."""
    levels = (
        ConformanceLevel(data["name"], data["meaning"], tuple(data["includes"]), tuple(data["evidence"]))
        for data in load_yaml(PROFILE / "levels.yaml")
    )
    return {level.name: level for level in levels}


def level(name: str) -> ConformanceLevel:
    """The level of this name; raises `UnknownNameError`."""
    try:
        return load_levels()[name]
    except KeyError:
        raise UnknownNameError("level", name, tuple(load_levels())) from None
