"""Relations between two probes: an output of the model stays, or moves, wherever its source's does.

No tolerance of ours decides here: what the source's own output does, beyond its rounding error, is the measure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assay.conformance.parity.judgement import FAIL_GATE
from assay.conformance.parity.oracle import is_float
from assay.conformance.parity.probe_run import ProbeRun
from assay.conformance.parity.probes import Alignment, LastStep, Prolonged, Relation, Selected
from assay.conformance.parity.unrolled import at_step
from assay.conformance.result import Finding

Pair = tuple[np.ndarray, np.ndarray]
View = Callable[[np.ndarray, np.ndarray], Pair]


@dataclass(frozen=True)
class Moves:
    """How far each place of an output moves from one probe to the other, in the source and in the candidate."""

    source: np.ndarray
    candidate: np.ndarray
    floor: float

    @property
    def stays(self) -> np.ndarray:
        """Where the source's output stays, but for its rounding error."""
        found: np.ndarray = self.source <= self.floor
        return found

    @property
    def leaks(self) -> np.ndarray:
        """Where the candidate's moves and the source's stays: two healthy errors together are below the gate."""
        found: np.ndarray = self.stays & (self.candidate > FAIL_GATE * self.floor)
        return found

    @property
    def dead(self) -> np.ndarray:
        """Where the source's moves and the candidate's stays."""
        found: np.ndarray = (self.source > 2 * FAIL_GATE * self.floor) & (self.candidate <= self.floor)
        return found


def judge_relations(runs: Sequence[ProbeRun]) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Every relation of these probes, as rows of measurements and as findings."""
    named = {run.judged.probe.name: run for run in runs}
    rows, findings = [], []
    for run in runs:
        for relation in run.judged.probe.relations:
            found = _judged(relation, named.get(relation.base), run)
            rows.append(_row(relation, run, found))
            findings += [_finding(relation, run, *pair) for pair in (found or {}).items() if _broken(pair[1])]
    return rows, findings


def _judged(relation: Relation, base: ProbeRun | None, other: ProbeRun) -> dict[str, Moves] | None:
    """The moves of each output; None where one of the two probes was not run."""
    if base is None or not base.values or not other.values:
        return None
    step = relation.align.step if isinstance(relation.align, LastStep) else None
    names = {name: name if step is None else at_step(name, step) for name in other.floors}
    pairs = (
        (name, _moves(relation.align, base, own, other, name)) for name, own in names.items() if own in base.floors
    )
    return {name: moves for name, moves in pairs if moves is not None}


def _moves(align: Alignment, base: ProbeRun, own: str, other: ProbeRun, name: str) -> Moves | None:
    """The moves under the alignment that leaves most of the source's output where it is."""
    first, second = base.judged.reference, other.judged.reference
    if first is None or second is None or not _comparable(base, own) or not _comparable(other, name):
        return None
    floor = max(base.floors[own], other.floors[name])
    found = [
        _moved(view, (first.truth[own], second.truth[name]), (base.values[own], other.values[name]), floor)
        for view in _views(align, first.truth[own].shape, second.truth[name].shape)
    ]
    return max(found, key=lambda moves: int(moves.stays.sum()), default=None)


def _comparable(run: ProbeRun, name: str) -> bool:
    truth = run.judged.reference.truth.get(name) if run.judged.reference else None
    return truth is not None and is_float(truth) and run.values[name].shape == truth.shape


def _moved(view: View, truth: Pair, values: Pair, floor: float) -> Moves:
    parts = [part.astype(np.float64) for part in (*view(*truth), *view(*values))]
    finite = np.logical_and.reduce([np.isfinite(part) for part in parts])
    a, b, c, d = (part[finite] for part in parts)
    return Moves(np.abs(a - b), np.abs(c - d), floor)


def _views(align: Alignment, base: tuple[int, ...], other: tuple[int, ...]) -> Iterator[View]:
    """The ways in which outputs of these shapes can belong together."""
    if isinstance(align, Selected):
        yield from (_selection(align, axis) for axis in _selected_axes(align, base, other))
    elif isinstance(align, Prolonged) and len(base) == len(other):
        if all(long - short in (0, align.extra) for short, long in zip(base, other, strict=True)):
            yield lambda a, b: (a, b[tuple(slice(size) for size in a.shape)])
    elif isinstance(align, LastStep) and len(base) == len(other):
        if all(short <= long for short, long in zip(base, other, strict=True)):
            yield lambda a, b: (a, b[tuple(slice(b.shape[i] - size, None) for i, size in enumerate(a.shape))])
    elif align is None and base == other:
        yield lambda a, b: (a, b)


def _selection(align: Selected, axis: int) -> View:
    return lambda a, b: (a.take(align.rows, axis), b)


def _selected_axes(align: Selected, base: tuple[int, ...], other: tuple[int, ...]) -> Iterator[int]:
    for axis, size in enumerate(base):
        if size == align.size and other == (*base[:axis], len(align.rows), *base[axis + 1 :]):
            yield axis


def _broken(moves: Moves) -> bool:
    return bool(moves.leaks.any() or moves.dead.any())


def _row(relation: Relation, run: ProbeRun, found: Mapping[str, Moves] | None) -> dict[str, Any]:
    told = {"code": relation.code, "probe": run.judged.probe.name, "base": relation.base, "change": relation.change}
    if not found:
        return {**told, "status": "not judged", "outputs": []}
    outputs = [{"output": name, **_counts(moves)} for name, moves in found.items()]
    return {**told, "status": "broken" if any(map(_broken, found.values())) else "held", "outputs": outputs}


def _counts(moves: Moves) -> dict[str, int]:
    counted = {"stays": moves.stays, "leaks": moves.leaks, "dead": moves.dead}
    return {"places": int(moves.source.size), **{key: int(places.sum()) for key, places in counted.items()}}


def _finding(relation: Relation, run: ProbeRun, output: str, moves: Moves) -> Finding:
    leaks = bool(moves.leaks.any())
    places = moves.leaks if leaks else moves.dead
    told = _leak(moves, places) if leaks else _death(moves, places)
    return Finding(
        code=relation.code,
        severity="info" if run.judged.probe.informative else "error",
        message=f"when {relation.change}, output {output} {told}",
        location={"probe": run.judged.probe.name, "output": output},
        evidence={"base": relation.base, "floor": moves.floor, **_counts(moves)},
    )


def _leak(moves: Moves, places: np.ndarray) -> str:
    by = float(moves.candidate[places].max())
    return f"moves by up to {by:.3g} in {int(places.sum())} places, but should stay there as the source's does"


def _death(moves: Moves, places: np.ndarray) -> str:
    by = float(moves.source[places].max())
    return f"stays in {int(places.sum())} places, but should move there as the source's does, by up to {by:.3g}"
