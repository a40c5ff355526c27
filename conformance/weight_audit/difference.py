"""What an audit of weights gives: how many are the source's, and which almost are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

_LISTED = 6


@dataclass(frozen=True)
class Difference:
    """A constant of the candidate that is a weight of the source but for what ``words`` say.

    ``relative`` is the size of the difference beside the size of the weight, as root mean squares.
    """

    constant: str
    weight: str
    how: str
    words: str
    relative: float
    numbers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """For people."""
        return f"{self.constant} {self.words}, but should be the source's {self.weight}"

    def to_json(self) -> dict[str, Any]:
        """The evidence of a finding."""
        return {"how": self.how, "weight": self.weight, "relative": self.relative, **self.numbers}


@dataclass(frozen=True)
class Audit:
    """Counts of the candidate's constants: ``equal`` to a weight, ``folded`` (a weight but for rounding), ``unmatched``
    (like none of the source's), and those left out, for they are too small or too uniform to tell.
    """

    equal: int = 0
    folded: int = 0
    unmatched: int = 0
    left_out: int = 0
    differences: tuple[Difference, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """What the measurements say of it."""
        told = {key: value for key, value in asdict(self).items() if key != "differences"}
        return {**told, "different": len(self.differences)}


def listed(places: list[int]) -> str:
    """The first few of a list, for a sentence."""
    return ", ".join(map(str, places[:_LISTED])) + (", ..." if len(places) > _LISTED else "")
