"""What the rows come to: kills by class, false alarms, detection limit, cost and localisation of each judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
ASSAY = "Assay"
CLASSES = {
    "S": "baked shapes",
    "N": "operators",
    "V": "spatial",
    "A": "attention, sequence",
    "W": "weights",
    "R": "randomness",
    "I": "interface",
    "P": "precision",
    "Q": "quantization",
    "K": "packaging",
}
_KILLED = ("fail", "refused")
_NOISE = "W1"


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    count: int
    total: int

    def __str__(self) -> str:
        return "-" if not self.total else f"{self.count}/{self.total} ({100 * self.count / self.total:.1f} %)"


@dataclass(frozen=True)
class Score:
    """One judge's results; ``limit`` is the smallest relative weight noise that it finds in half of the models."""

    judge: str
    kills: Mapping[str, Share]
    all_kills: Share
    inconclusive: int
    alarms: Share
    limit: float | None
    seconds: float


@dataclass(frozen=True)
class Pile:
    """The rows, sorted by what they are good for."""

    mutants: Sequence[Row]
    equal: Sequence[Row]
    benign: Sequence[Row]
    broken: Sequence[Row]
    refused: Sequence[Row]


def sort(rows: Sequence[Row]) -> Pile:
    """Mutants that count and that are equal; rewrites that count, that changed the model, and that tools refused."""
    judged = [row for row in rows if "assay" in row]
    return Pile(
        [row for row in judged if row["letter"] and row["counts"]],
        [row for row in judged if row["letter"] and not row["counts"]],
        [row for row in judged if not row["letter"] and row["counts"]],
        [row for row in judged if not row["letter"] and not row["counts"]],
        [row for row in rows if "assay" not in row],
    )


def alarmed(row: Row, judge: str) -> bool | None:
    """Whether the judge says that the model is wrong; None where it was not asked."""
    if judge == ASSAY:
        return row["assay"]["verdict"] in _KILLED
    alarm: bool | None = row["peers"][judge]["alarm"]
    return alarm


def judges(pile: Pile) -> list[str]:
    """Assay, then the peers that were asked."""
    first = next(iter([*pile.mutants, *pile.benign]), None)
    peers = [] if first is None else [name for name, said in first["peers"].items() if said["alarm"] is not None]
    return [ASSAY, *peers]


def score(pile: Pile, judge: str) -> Score:
    """One judge's score."""
    letters = [letter for letter in CLASSES if any(row["letter"] == letter for row in pile.mutants)]
    kills = {letter: _kills([row for row in pile.mutants if row["letter"] == letter], judge) for letter in letters}
    open_cases = [row for row in pile.mutants if judge == ASSAY and row["assay"]["verdict"] == "inconclusive"]
    wrong = [row for row in pile.benign if false_alarm(row, judge)]
    cases = [*pile.mutants, *pile.equal, *pile.benign]
    return Score(
        judge,
        kills,
        _kills(pile.mutants, judge),
        len(open_cases),
        Share(len(wrong), len(pile.benign)),
        detection_limit([*pile.mutants, *pile.equal], judge),
        sum(_seconds(row, judge) for row in cases) / max(len(cases), 1),
    )


def false_alarm(row: Row, judge: str) -> bool:
    """A benign case that does not simply pass; an open verdict is an alarm too."""
    return row["assay"]["verdict"] != "pass" if judge == ASSAY else bool(alarmed(row, judge))


def noise_curve(rows: Sequence[Row], judge: str) -> dict[float, Share]:
    """The share of models in which noise of each size on all weights is found, equal mutants included."""
    noisy = [row for row in rows if row["name"] == _NOISE]
    sizes = sorted({float(row["severity"]) for row in noisy})
    return {size: _kills([row for row in noisy if float(row["severity"]) == size], judge) for size in sizes}


def detection_limit(rows: Sequence[Row], judge: str) -> float | None:
    """The smallest noise that is found in half of the models, and at every larger size too."""
    found = None
    for size, share in sorted(noise_curve(rows, judge).items(), reverse=True):
        if 2 * share.count < share.total:
            break
        found = size
    return found


def located(pile: Pile) -> tuple[Share, Share]:
    """Of the killed mutants whose node was asked for: where Assay names it exactly, and within one."""
    killed = asked(pile)
    exact = [row for row in killed if row["assay"]["node"] in row["nodes"]]
    near = [row for row in killed if row["assay"]["node"] in row["near"]]
    return Share(len(exact), len(killed)), Share(len(near), len(killed))


def asked(pile: Pile) -> list[Row]:
    """The killed mutants whose node was asked for."""
    return [row for row in pile.mutants if row["located"] and row["assay"]["verdict"] == "fail"]


def mended(pile: Pile) -> list[Row]:
    """The killed mutants whose repair was tried; each has a single fault."""
    return [row for row in pile.mutants if row["assay"].get("repair") and row["assay"]["verdict"] in _KILLED]


def repairs(pile: Pile) -> dict[str, Share]:
    """Of these, by class, those whose repaired model passes the whole check and equals the healthy one."""
    tried = mended(pile)
    letters = [letter for letter in CLASSES if any(row["letter"] == letter for row in tried)]
    return {letter: repaired([row for row in tried if row["letter"] == letter]) for letter in letters}


def repaired(rows: Sequence[Row]) -> Share:
    """How many are repaired and proved, by the check and by the stated test."""
    return Share(sum(bool(row["assay"]["repair"]["same"]) for row in rows), len(rows))


def survivors(pile: Pile) -> list[Row]:
    """Mutants that Assay passes."""
    return [row for row in pile.mutants if row["assay"]["verdict"] == "pass"]


def undecided(pile: Pile) -> list[Row]:
    """Mutants on which Assay's verdict is open."""
    return [row for row in pile.mutants if row["assay"]["verdict"] == "inconclusive"]


def _kills(rows: Sequence[Row], judge: str) -> Share:
    return Share(sum(bool(alarmed(row, judge)) for row in rows), len(rows))


def _seconds(row: Row, judge: str) -> float:
    """A peer pays one run of the example beside its comparison."""
    if judge == ASSAY:
        return float(row["assay"]["seconds"])
    return float(row["peers"][judge]["seconds"]) + float(row["run_seconds"])
