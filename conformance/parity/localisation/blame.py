"""The first node that is wrong: all that it takes agrees with the reference, and what it makes does not."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import onnx_ir as ir

from assay.conformance.parity.localisation.alignment import Alignment, tells
from assay.conformance.parity.localisation.graph import Graph, made_by, taken_by

_TOLERANCES = (
    0.0,
    2.0,
    8.0,
    20.0,
)  # times the noise; equal nodes on equal inputs give equal bits, so the strictest first
_LOOSE = (8.0, 20.0)  # the bits of different exporters' graphs never agree
_SMALL = 64
_TELLING = 8.0  # an error below it may be a healthy rewriting


@dataclass(frozen=True)
class Guilty:
    """A node whose output differs though its inputs agree; ``ratio`` is the error there over the noise."""

    node: ir.Node
    value: str
    ratio: float
    tolerance: float


def first_wrong(graph: Graph, alignment: Alignment, concerned: Collection[str] | None = None) -> Guilty | None:
    """The guilty node; ``concerned`` are the values that count, None for all.

    The tolerance grows until a node stands out. Where no error is large, the largest is taken.
    """
    found: list[Guilty] = []
    for tolerance in _TOLERANCES if alignment.is_close else _LOOSE:
        sources = list(_sources(graph, alignment, tolerance, concerned))
        telling = next((guilty for guilty in sources if guilty.ratio > max(_TELLING, tolerance)), None)
        if telling is None and tolerance == 0 and alignment.is_close and len(sources) == 1:
            telling = sources[0]  # all other bits are equal
        if telling is not None:
            return _into_constants(graph, alignment, _settled(graph, alignment, telling))
        found += sources
    return max(found, key=lambda guilty: guilty.ratio, default=None)


def _settled(graph: Graph, alignment: Alignment, guilty: Guilty) -> Guilty:
    """Of nodes that were added one behind the other, the last; or the node behind them where it is another operator."""
    seen = {guilty.node}
    while alignment.is_close and alignment.namesake_ratio(guilty.value) is None:
        taker = next(iter(graph.consumers.get(guilty.value, [])), None)
        value = next(iter(made_by(taker)), "") if taker is not None else ""
        if taker is None or taker in seen or not value:
            return guilty
        ratio = alignment.namesake_ratio(value)
        if ratio is not None and alignment.made_alike(value, taker.op_type):
            return guilty
        seen.add(taker)
        guilty = Guilty(taker, value, math.inf if ratio is None else ratio, guilty.tolerance)
    return guilty


def _into_constants(graph: Graph, alignment: Alignment, guilty: Guilty) -> Guilty:
    """The node among those that compute a constant for the guilty one, where it is there that the graphs part."""
    for name in taken_by(guilty.node) if alignment.is_close else ():
        node, ratio = graph.producers.get(name), alignment.namesake_ratio(name)
        if node is not None and name not in graph.moving and (ratio is None or ratio > 0):
            inner = Guilty(node, name, math.inf if ratio is None else ratio, guilty.tolerance)
            return _into_constants(graph, alignment, inner)
    return guilty


def _sources(
    graph: Graph, alignment: Alignment, tolerance: float, concerned: Collection[str] | None
) -> Iterator[Guilty]:
    agreeing = agreeing_values(graph, alignment, tolerance)
    for node in graph.nodes:
        made = [n for n in made_by(node) if _counts(graph, alignment, n) and (concerned is None or n in concerned)]
        wrong = [name for name in made if name not in agreeing]
        if wrong and all(name in agreeing or name in graph.inputs for name in graph.fed(node)):
            ratio = alignment.namesake_ratio(wrong[0])
            yield Guilty(node, wrong[0], math.inf if ratio is None else ratio, tolerance)


def _counts(graph: Graph, alignment: Alignment, name: str) -> bool:
    return name in alignment.got.arrays and name in graph.moving


def agreeing_values(graph: Graph, alignment: Alignment, tolerance: float) -> set[str]:
    """The values that are right: those that the reference has, and those without a namesake that lead to a right one.

    A rewriting makes values that the reference does not have; where they end in a right one, they are right themselves.
    """
    agreeing = {name for name in alignment.got.arrays if alignment.agrees(name, tolerance)}
    for node in reversed(graph.nodes):
        for name in made_by(node):
            if name in agreeing or alignment.namesake_ratio(name) is not None:
                continue
            makes = (other for taker in graph.consumers.get(name, []) for other in made_by(taker))
            if any(other in agreeing and _proves(alignment, other) for other in makes) or _is_small(alignment, name):
                agreeing.add(name)
    return agreeing


def _proves(alignment: Alignment, name: str) -> bool:
    array = alignment.got.arrays.get(name)
    return array is not None and tells(array)


def _is_small(alignment: Alignment, name: str) -> bool:
    """A few whole numbers without a namesake are shapes and indices: what they lead to tells whether they are right."""
    array = alignment.got.arrays.get(name)
    return array is not None and array.dtype.kind in "iub" and array.size <= _SMALL
