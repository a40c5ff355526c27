"""The table of mutations, and how many mutants of each a model gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import onnx
from onnx import NodeProto

from verdicts.graph import Graph
from verdicts.subject import Subject

Change = Callable[[Graph, NodeProto], None]
_PER_MUTATION = 3


@dataclass(frozen=True)
class Edit:
    """One defect: at which node (its place, or None for the interface, the file or weights), how bad, what is done."""

    place: int | None
    change: Change
    severity: str = ""


@dataclass(frozen=True)
class Mutation:
    """A kind of defect: its id in the catalogue (the letter is its class), a sentence, and where it can be planted."""

    id: str
    says: str
    edits: Callable[[Subject], Iterable[Edit]]

    @property
    def letter(self) -> str:
        """The class of the defect."""
        return self.id[0]


@dataclass(frozen=True)
class Mutant:
    """A model with one defect; ``nodes`` are the names of the nodes where it sits (empty: weights or interface)."""

    id: str
    mutation: str
    letter: str
    severity: str
    says: str
    nodes: tuple[str, ...]
    model: onnx.ModelProto


MUTATIONS: dict[str, Mutation] = {}
Edits = Callable[[Subject], Iterable[Edit]]


def mutation(identity: str, says: str) -> Callable[[Edits], Edits]:
    """Register a mutation; raises ValueError where the id is taken."""

    def register(edits: Edits) -> Edits:
        if identity in MUTATIONS:
            raise ValueError(f"the mutation {identity} is registered already, but should be registered once")
        MUTATIONS[identity] = Mutation(identity, says, edits)
        return edits

    return register


def mutants(subject: Subject, chosen: Mutation) -> Iterator[Mutant]:
    """The mutants of one kind, at most three a severity and a model, spread over the depth of the graph."""
    edits = list(chosen.edits(subject))
    severities = list(dict.fromkeys(edit.severity for edit in edits))
    for severity in severities:
        same = [edit for edit in edits if edit.severity == severity]
        for number, edit in enumerate(_spread(same, _share(len(severities)))):
            made = _mutant(subject, chosen, edit)
            if made is not None:
                label = "/".join(part for part in (subject.name, chosen.id, severity, str(number)) if part)
                yield replace(made, id=label)


def _mutant(subject: Subject, chosen: Mutation, edit: Edit) -> Mutant | None:
    graph = Graph.copy(subject.model)
    before = {node.name for node in graph.nodes}
    node = graph.nodes[edit.place] if edit.place is not None else NodeProto()
    name = node.name
    edit.change(graph, node)
    if graph.model.SerializeToString() == subject.model.SerializeToString():
        return None
    added = [other.name for other in graph.nodes if other.name not in before]
    nodes = () if edit.place is None else (name, *added)
    return Mutant("", chosen.id, chosen.letter, edit.severity, chosen.says, nodes, graph.model)


def _share(severities: int) -> int:
    return max(1, _PER_MUTATION // max(severities, 1))


def _spread(edits: list[Edit], most: int) -> list[Edit]:
    if len(edits) <= most:
        return edits
    return [edits[round(place * (len(edits) - 1) / max(most - 1, 1))] for place in range(most)]
