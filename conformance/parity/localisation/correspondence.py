"""Which node of the candidate is which of the reference graph: by name, then by what it takes and what takes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import onnx_ir as ir

from assay.conformance.parity.localisation.graph import Graph, made_by

_ALIKE = 0.6  # the share of the smaller graph's values that must correspond for the two to be one graph with a fault
_PASSES = 3


@dataclass(frozen=True)
class Correspondence:
    """The reference's value of each of the candidate's; ``is_close`` where the graphs differ in a few nodes at most."""

    values: Mapping[str, str]
    is_close: bool


def correspond(candidate: Graph, reference: Graph, interface: Mapping[str, str]) -> Correspondence:
    """Compare two graphs; ``interface`` has the reference's name of each of the candidate's inputs and outputs."""
    matching = _Matching(candidate, reference, dict(interface))
    if trusts_names(candidate, reference):
        matching.by_name()
    for _ in range(_PASSES):
        before = len(matching.values)
        matching.forward()
        matching.backward()
        if len(matching.values) == before:
            break
    alike = sum(reference.producers[v].op_type == candidate.producers[n].op_type for n, v in matching.inner())
    if _is_most(alike, candidate, reference):
        return Correspondence(matching.values, True)
    return Correspondence(dict(interface), False)


def trusts_names(candidate: Graph, reference: Graph) -> bool:
    """Whether most values of the smaller graph come from the same operator as the other's values of that name."""
    own, theirs = _inner(candidate), _inner(reference)
    alike = sum(theirs.get(name) == op_type for name, op_type in own.items())
    return _is_most(alike, candidate, reference)


def _is_most(alike: int, candidate: Graph, reference: Graph) -> bool:
    """Most of the smaller graph's values, or all but one."""
    fewest = min(len(_inner(candidate)), len(_inner(reference)))
    return alike >= _ALIKE * fewest or (alike > 0 and alike >= fewest - 1)


def _inner(graph: Graph) -> dict[str, str]:
    """The operator that makes each value that is no output: outputs are named by the interface."""
    return {name: node.op_type for name, node in graph.producers.items() if name not in graph.outputs}


@dataclass
class _Matching:
    """The pairs found so far; each value of the reference is in one pair at most."""

    candidate: Graph
    reference: Graph
    values: dict[str, str]
    taken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.taken |= set(self.values.values())

    def inner(self) -> Iterator[tuple[str, str]]:
        """The pairs of values that nodes make, outputs apart."""
        for name, other in self.values.items():
            if (
                name in self.candidate.producers
                and other in self.reference.producers
                and name not in self.candidate.outputs
            ):
                yield name, other

    def by_name(self) -> None:
        """Values of the same name."""
        for name in self.candidate.producers:
            if name in self.reference.producers:
                self._pair(name, name)

    def forward(self) -> None:
        """Nodes of the same operator on the same values; of several, the one with the same constants."""
        for node in self.candidate.nodes:
            fed = self.candidate.fed(node)
            if not fed or all(n in self.values for n in made_by(node)) or not all(n in self.values for n in fed):
                continue
            wanted = [self.values[name] for name in fed]
            alike = [n for n in self.reference.consumers.get(wanted[0], []) if self._is_like(node, n, wanted)]
            if alike:
                self._pair_outputs(node, max(alike, key=lambda other: self._shared(node, other)))

    def backward(self) -> None:
        """What paired nodes of the same operator take, input by input."""
        for node in reversed(self.candidate.nodes):
            twin = next((self.reference.producers.get(self.values.get(n, "")) for n in made_by(node)), None)
            if twin is None or twin.op_type != node.op_type:
                continue
            for own, other in zip(node.inputs, twin.inputs, strict=False):
                self._pair_inputs(own, other)

    def _pair_inputs(self, own: ir.Value | None, other: ir.Value | None) -> None:
        if own is None or other is None:
            return
        node, twin = (
            graph.producers.get(v.name or "") for graph, v in ((self.candidate, own), (self.reference, other))
        )
        if node is None or twin is None or made_by(twin)[0] in self.taken:
            return
        if node.op_type == twin.op_type or self._takes_the_same(node, twin):
            self._pair_outputs(node, twin)

    def _takes_the_same(self, node: ir.Node, twin: ir.Node) -> bool:
        fed = self.candidate.fed(node)
        return bool(fed) and [self.values.get(name) for name in fed] == self.reference.fed(twin)

    def _is_like(self, node: ir.Node, other: ir.Node, fed: list[str]) -> bool:
        free = not any(name in self.taken for name in made_by(other))
        return free and other.op_type == node.op_type and self.reference.fed(other) == fed

    def _shared(self, node: ir.Node, other: ir.Node) -> int:
        """How many constants the two nodes have alike."""
        pairs = zip(node.inputs, other.inputs, strict=False)
        arrays = [(self._array(self.candidate, a), self._array(self.reference, b)) for a, b in pairs]
        return sum(a is not None and b is not None and np.array_equal(a, b) for a, b in arrays)

    def _array(self, graph: Graph, value: ir.Value | None) -> np.ndarray | None:
        return None if value is None else graph.array(value.name or "")

    def _pair_outputs(self, node: ir.Node, twin: ir.Node) -> None:
        for name, other in zip(made_by(node), made_by(twin), strict=False):
            self._pair(name, other)

    def _pair(self, name: str, other: str) -> None:
        if name not in self.values and other not in self.taken:
            self.values[name] = other
            self.taken.add(other)
