"""Every gate of the parity check: its value, where that comes from, and what this run says of it on either side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from assay.conformance.parity.judgement import FAIL_GATE, PASS_GATE
from verdicts.scores import Pile, Row

_DECISION = 2 * PASS_GATE  # either of two scores may be off by what passes


@dataclass(frozen=True)
class Gate:
    """A gate: what it is and its value in words, the rules by which it fails a model, and the origin of the value."""

    name: str
    value: str
    codes: tuple[str, ...]
    origin: str


GATES = (
    Gate(
        "error that passes",
        f"{PASS_GATE:g} floors",
        ("PA009",),
        "healthy changes gave 0.6 to 4.6 floors on nineteen models; 8 leaves a factor above the worst",
    ),
    Gate(
        "error that fails",
        f"{FAIL_GATE:g} floors",
        ("PA001",),
        "below the subtlest defect of the catalogue, LayerNorm's epsilon of 1e-5 for 1e-12, at 23 floors",
    ),
    Gate(
        "margin of a decision",
        f"{_DECISION:g} floors of its scores",
        ("PA025",),
        f"twice {PASS_GATE:g}: each of two scores may be that far off in a model that passes",
    ),
    Gate(
        "relation: a place that should stay",
        f"moves beyond {FAIL_GATE:g} floors",
        ("PA020", "PA021", "PA022", "PA023"),
        f"two runs within {PASS_GATE:g} floors each differ by {_DECISION:g} at most, so no model that passes leaks",
    ),
    Gate(
        "relation: a place that should move",
        f"stays where the source moves by {2 * FAIL_GATE:g} floors",
        ("PA020", "PA021", "PA022", "PA023"),
        f"a model that passes moves by {2 * FAIL_GATE:g} less {_DECISION:g} floors at least; to stay is to move by one",
    ),
    Gate(
        "steps of a state or cache",
        f"{PASS_GATE:g} and {FAIL_GATE:g} floors of each step",
        ("PA024",),
        "as the error: each step has the floor of the source's own step",
    ),
    Gate(
        "quiet channel",
        "a quarter of the output's noise, 16 elements",
        ("PA001",),
        "by one part in 100,000 a detector's probabilities were 1.5 floors off as a whole, and 251 by channel; fewer "
        "elements do not show a noise",
    ),
    Gate(
        "other setting of the runtime",
        f"{FAIL_GATE:g} spreads of the source",
        ("PA019",),
        "another order of additions was 74 floors off on Basic Pitch, and 1.6 spreads under one unit a result",
    ),
    Gate(
        "run again",
        f"{PASS_GATE:g} floors or units in the last place",
        ("PA015",),
        f"threads that add in any order jitter; {PASS_GATE:g} is what passes beside the source, and no more is excused",
    ),
    Gate(
        "second session, from bytes",
        f"{PASS_GATE:g} floors or units in the last place",
        ("PA029",),
        "as the run that is repeated: the first run is the measure",
    ),
)


@dataclass(frozen=True)
class Sides:
    """In how many killed mutants a gate's rules fire, in how many no other rule does, and in how many benign cases."""

    mutants: int
    alone: int
    benign: int


def sides(pile: Pile, gate: Gate) -> Sides:
    """What this run has on either side of a gate."""
    fired = [row for row in pile.mutants if _fires(row, gate)]
    alone = [row for row in fired if set(row["assay"]["codes"]) <= set(gate.codes)]
    return Sides(len(fired), len(alone), sum(_fires(row, gate) for row in pile.benign))


def _fires(row: Row, gate: Gate) -> bool:
    """A doubt between the two gates of the error is no error, and has no code in the row."""
    if "PA009" in gate.codes:
        ratio = row["assay"]["ratio"]
        return ratio is not None and ratio > PASS_GATE
    return bool(set(row["assay"]["codes"]) & set(gate.codes))


def extremes(pile: Pile) -> tuple[float | None, float | None]:
    """The largest ratio of a benign case, and the smallest of a mutant that is killed by its errors alone."""
    benign = [ratio for row in pile.benign if (ratio := row["assay"]["ratio"]) is not None]
    killed = [row["assay"]["ratio"] for row in pile.mutants if row["assay"]["codes"] == ["PA001"]]
    return max(benign, default=None), min((ratio for ratio in killed if ratio is not None), default=None)


def rows(pile: Pile) -> list[list[Any]]:
    """A line of the table for each gate."""
    return [[gate.name, gate.value, *asdict(sides(pile, gate)).values(), gate.origin] for gate in GATES]


def facts(pile: Pile) -> dict[str, Any]:
    """The gates and their sides, for the JSON."""
    largest, smallest = extremes(pile)
    listed = [{**asdict(gate), **asdict(sides(pile, gate))} for gate in GATES]
    return {"gates": listed, "largest_benign_ratio": largest, "smallest_killed_ratio": smallest}


def plot_sides(axes: Any, pile: Pile, colours: Sequence[str]) -> None:
    """Bars: on how many benign and defective cases the rules of each gate fire."""
    places = range(len(GATES))
    found = [sides(pile, gate) for gate in GATES]
    for offset, (label, counts) in enumerate(
        {"benign": [one.benign for one in found], "defective": [one.mutants for one in found]}.items()
    ):
        axes.barh([place + 0.4 * offset for place in places], counts, 0.4, label=label, color=colours[offset])
    axes.set_yticks([place + 0.2 for place in places], [gate.name for gate in GATES])
    axes.invert_yaxis()
    axes.set(xlabel="cases on which the gate fires", xscale="symlog")
    axes.legend()
