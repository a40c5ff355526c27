"""What a benchmark of coverage counts: one case, one exporter, one verdict."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

VERDICTS = ("right", "refused", "wrong", "unloadable", "failed")


@dataclass(frozen=True)
class Outcome:
    """The verdict on a case, why, and the largest error as a share of what is allowed; seconds are of the export."""

    name: str
    exporter: str
    verdict: str
    reason: str = ""
    error: float = 0.0
    nodes: int = 0
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


class Unjudgeable(Exception):
    """The framework itself can't build or run the case, or the case is one that nothing can be said of."""


def told(text: str) -> str:
    """An error's text on one line; of files, their names alone."""
    return re.sub(r"(?<![\w.])/[\w./-]+/", "", " ".join(text.split()))[:300]


def counts(outcomes: Sequence[Outcome]) -> list[Any]:
    """Cases, one number a verdict, and the share that is right; what could not be judged does not count."""
    judged = [outcome for outcome in outcomes if outcome.verdict != "unjudgeable"]
    found = Counter(outcome.verdict for outcome in judged)
    share = f"{100 * found['right'] / max(len(judged), 1):.1f} %"
    return [len(judged), *(found[verdict] for verdict in VERDICTS), share]


def kept(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """By exporter: the names of the cases that are right, and every other outcome whole."""
    return {
        exporter: {
            "right": [o.name for o in outcomes if o.exporter == exporter and o.verdict == "right"],
            "other": [o.as_dict() for o in outcomes if o.exporter == exporter and o.verdict != "right"],
        }
        for exporter in dict.fromkeys(outcome.exporter for outcome in outcomes)
    }
