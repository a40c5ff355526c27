"""The tables, the lists and the calibration plot."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from machine import table

from assay.conformance.parity.judgement import FAIL_GATE, PASS_GATE
from verdicts import gates
from verdicts.equivalence import BENIGN, EQUAL
from verdicts.inputs import COUNT
from verdicts.scores import (
    CLASSES,
    Pile,
    Row,
    Score,
    Share,
    asked,
    judges,
    located,
    mended,
    noise_curve,
    repaired,
    repairs,
    score,
    survivors,
    undecided,
)
from verdicts.scores import false_alarm as is_false_alarm

PLOT = "verdict.svg"
_NOT_PLOTTED = 1e-3
_COLOURS = ("#2a7f62", "#b3432b")


def text(pile: Pile, seconds: float) -> str:
    """The benchmark's page, without head."""
    scores = [score(pile, judge) for judge in judges(pile)]
    exact, near = located(pile)
    count = f"{len(pile.mutants)} mutants that count, {len(pile.equal)} equal to the healthy model; "
    count += f"{len(pile.benign)} benign cases, {len(pile.broken)} rewrites that changed the model, "
    count += f"{len(pile.refused)} kinds that a tool or exporter refused; {seconds:.0f} s of work in all."
    parts = [
        count,
        _summary(scores),
        _by_class(scores, repairs(pile)),
        _noise(pile),
        f"Localisation of killed mutants that sit in a node: exact {exact}, within one node {near}.",
        _repairs(pile),
        _survivors(pile),
        _alarms(pile),
        _models(pile),
        _gates(pile),
        _method(),
    ]
    return "\n\n".join(part for part in parts if part)


def _summary(scores: Sequence[Score]) -> str:
    header = ["judge", "killed", "open", "false alarms", "weight noise found in half of the models", "seconds a case"]
    rows = [
        [
            s.judge,
            s.all_kills,
            s.inconclusive,
            s.alarms,
            "none" if s.limit is None else f"{s.limit:g}",
            f"{s.seconds:.2f}",
        ]
        for s in scores
    ]
    return table(header, rows)


def _by_class(scores: Sequence[Score], mends: Mapping[str, Share]) -> str:
    letters = list(scores[0].kills) if scores else []
    header = ["killed, by class", *(s.judge for s in scores), *(["repaired by Assay"] if mends else [])]
    repaired_too = [[mends.get(letter, Share(0, 0))] if mends else [] for letter in letters]
    rows = [
        [f"{letter} {CLASSES[letter]}", *(s.kills[letter] for s in scores), *more]
        for letter, more in zip(letters, repaired_too, strict=True)
    ]
    return table(header, rows)


def _repairs(pile: Pile) -> str:
    tried = mended(pile)
    if not tried:
        return ""
    wrong = [row["id"] for row in tried if row["assay"]["repair"]["proved"] and not row["assay"]["repair"]["same"]]
    seconds = sum(row["assay"]["repair"]["seconds"] for row in tried)
    kinds, models = (len({row[key] for row in tried}) for key in ("name", "model"))
    return (
        f"Repair of killed mutants with a single fault: {repaired(tried)} repaired and proved, on a sample of the "
        f"first mutant of each kind, evenly drawn in each of {models} models ({kinds} kinds, "
        f"{seconds:.0f} s in all). Passed by the check, but not equal to the healthy model by the stated test: "
        f"{', '.join(wrong) or 'none'}."
    )


def _noise(pile: Pile) -> str:
    names = judges(pile)
    curves = {judge: noise_curve([*pile.mutants, *pile.equal], judge) for judge in names}
    sizes = list(next(iter(curves.values()), {}))
    header = ["noise on all weights found in", *names]
    return table(header, [[f"{size:g}", *(curves[judge][size] for judge in names)] for size in sizes]) if sizes else ""


def _survivors(pile: Pile) -> str:
    lines = [f"- {row['id']}: {row['says']}" for row in survivors(pile)]
    lines += [f"- {row['id']} (open): {row['says']}" for row in undecided(pile)]
    return "## Mutants that Assay does not kill\n\n" + ("\n".join(lines) or "None.")


def _alarms(pile: Pile) -> str:
    lines = [f"- {row['id']}: {row['assay']['message']}" for row in pile.benign if is_false_alarm(row, "Assay")]
    return "## Benign cases on which Assay alarms\n\n" + ("\n".join(lines) or "None.")


def _models(pile: Pile) -> str:
    mutants = Counter(row["model"] for row in pile.mutants)
    benign = Counter(row["model"] for row in pile.benign)
    rows = [[name, mutants[name], benign[name]] for name in sorted({*mutants, *benign})]
    return "## Models\n\n" + table(["model", "mutants", "benign cases"], rows)


def _gates(pile: Pile) -> str:
    header = ["gate", "value", "mutants", "by it alone", "benign cases", "where the value comes from"]
    largest, smallest = gates.extremes(pile)
    told = " and ".join(
        f"{words} {ratio:.3g}"
        for words, ratio in (("the largest ratio of a benign case is", largest), ("the smallest of a mutant", smallest))
        if ratio is not None
    )
    plotted = f"![benign and defective ratios, and the cases on which each gate fires]({PLOT})"
    head = "## Gates\n\nOn how many cases of this run the rules of each gate fire"
    tail = f"; of those that errors alone decide, {told}." if told else "."
    return "\n\n".join([head + tail, table(header, gates.rows(pile)), plotted])


def _method() -> str:
    return f"""## How it is judged

A mutant counts unless it equals the healthy ONNX model: it loads, has the same contract (names, order, dtypes, declared
shapes, metadata), and on {COUNT} inputs that share nothing with Assay's probes (and on a quarter of them without graph
optimization) no output is further from the healthy one than {EQUAL:g} times the healthy model's own spread: its change
without optimization and under one unit in the last place of each weight (an eighth of it under eight units; of
whole numbers, the number of elements that rounding turns). Inputs keep to the declared ranges, no mask
hides a whole row, and none is NaN. A rewrite counts as benign within {BENIGN:g} times that spread: tools of others do
break models, and those cases are listed in the JSON.

Assay kills by the verdict `fail` of `assay.check`, by an error of `assay.lint` that the healthy bundle does not have,
or by refusing to open the file; `inconclusive` is no kill, but on a benign case it is a false alarm. Peers see the
traced example: torch's own `VerificationInfo` with the zip and thresholds of `verify=True`; the published rule of
optimum's `validate_model_outputs` at atol 1e-4 and the basic level, with padded masks; Polygraphy's own
`CompareFunc.simple` by its defaults; `numpy.allclose` at three atols. Weight mutants sit in no node.

A mutant is repaired where `assay check --repair` writes a model that passes the whole check on every probe, that has
no error of `assay.lint` which the healthy bundle does not have, and that equals the healthy model by the stated test,
which Assay does not see. What a tool refuses to open, or what the contract alone condemns, counts as not repaired."""


def facts(pile: Pile) -> dict[str, Any]:
    """What the JSON holds: scores, and every case by name that is not as it should be."""
    names = judges(pile)
    exact, near = located(pile)
    return {
        "scores": [_score(score(pile, judge)) for judge in names],
        "localisation": {"exact": asdict(exact), "within_one": asdict(near)},
        "repair": _repair_facts(pile),
        "calibration": gates.facts(pile),
        "survivors": [_named(row) for row in survivors(pile)],
        "open": [_named(row) for row in undecided(pile)],
        "false_alarms": {judge: [_named(r) for r in pile.benign if is_false_alarm(r, judge)] for judge in names},
        "not_located": [
            {**_named(row), "nodes": row["nodes"], "named": row["assay"]["node"]}
            for row in asked(pile)
            if row["assay"]["node"] not in row["nodes"]
        ],
        "equal": {row["id"]: row["excess"] for row in pile.equal},
        "rewrites_that_changed_the_model": {row["id"]: row["reason"] or row["excess"] for row in pile.broken},
        "refused": {row["id"]: row["refused"] for row in pile.refused},
    }


def _repair_facts(pile: Pile) -> dict[str, Any]:
    tried = mended(pile)
    return {
        "all": asdict(repaired(tried)),
        "classes": {letter: asdict(share) for letter, share in repairs(pile).items()},
        "not_repaired": {row["id"]: _why_not(row["assay"]["repair"]) for row in tried if not _is_repaired(row)},
    }


def _is_repaired(row: Row) -> bool:
    return bool(row["assay"]["repair"]["same"])


def _why_not(repair: Mapping[str, Any]) -> str:
    return "it passes, but is not the healthy model" if repair["proved"] else str(repair["reason"])


def _score(found: Score) -> dict[str, Any]:
    return {**asdict(found), "kills": {letter: asdict(share) for letter, share in found.kills.items()}}


def _named(row: Row) -> dict[str, Any]:
    ruling: Mapping[str, Any] = row["assay"]
    parts = ("verdict", "codes", "ratio", "message")
    return {"id": row["id"], "says": row["says"], "excess": row["excess"], **{part: ruling[part] for part in parts}}


def plot(pile: Pile, folder: Path) -> Path:
    """Histogram of worst ratios of benign and of defective cases, and below it where each gate fires."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "verdict"
    from matplotlib import pyplot

    figure, (axes, below) = pyplot.subplots(2, figsize=(9, 8))
    groups = {"benign": (pile.benign, _COLOURS[0]), "defective": (pile.mutants, _COLOURS[1])}
    for label, (rows, colour) in groups.items():
        axes.hist(_logarithms(rows), bins=[x / 8 for x in range(-24, 73)], label=label, color=colour, alpha=0.6)
    for gate, name in ((PASS_GATE, "pass"), (FAIL_GATE, "fail")):
        axes.axvline(math.log10(gate), color="black", linestyle="--", linewidth=1)
        axes.annotate(
            f"{name} {gate:g}", (math.log10(gate), 1), xycoords=("data", "axes fraction"), rotation=90, va="top"
        )
    axes.set(xlabel="log10 of the worst error over the noise floor", ylabel="cases", yscale="log")
    axes.legend()
    gates.plot_sides(below, pile, _COLOURS)
    figure.tight_layout()
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / PLOT, metadata={"Date": None})
    pyplot.close(figure)
    return folder / PLOT


def _logarithms(rows: Sequence[Row]) -> list[float]:
    ratios = [row["assay"]["ratio"] for row in rows if row["assay"]["ratio"] is not None]
    return [math.log10(min(max(float(ratio), _NOT_PLOTTED), 1e9)) for ratio in ratios]
