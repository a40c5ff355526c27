"""What is known of a failure once it was localised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import onnx_ir as ir

from assay.conformance.parity.localisation.alignment import Alignment
from assay.conformance.parity.localisation.blame import Guilty
from assay.conformance.parity.localisation.graph import Graph, line_of, made_by, module_of, name_of
from assay.conformance.parity.localisation.healthy import Healthy, Unhealthy
from assay.converters.sources.recorded import Recorded
from assay.specs.interface import Interface

NOT_LOADED = ("not a registered function/op", "No Op registered")
_AGREE = 8.0  # times the noise


@dataclass(frozen=True)
class Place:
    """The node at fault: its name, operator and first wrong value, and where in the model's code it comes from."""

    node: str | None
    op: str | None
    value: str | None
    module: str | None
    line: str | None
    how: str

    def location(self) -> dict[str, Any]:
        """What a finding's location gets."""
        told = {"node": self.node, "op": self.op, "module": self.module, "line": self.line}
        return {key: value for key, value in told.items() if value}

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Evidence:
    """The candidate on one probe beside a healthy graph, or beside the source's own operations."""

    probe: str
    feeds: Mapping[str, np.ndarray]
    interface: Interface
    candidate: Graph
    healthy: Healthy | None
    unhealthy: Sequence[Unhealthy]
    alignment: Alignment
    guilty: Guilty | None
    failed: ir.Node | None
    failure: str | None
    got: Mapping[str, np.ndarray]
    expected: Mapping[str, np.ndarray]
    own_names: Mapping[str, str]  # of outputs
    own_inputs: Mapping[str, str]
    lost: Recorded | None = None
    not_loaded: bool = False

    @property
    def node(self) -> ir.Node | None:
        """The candidate's node at fault."""
        return self.guilty.node if self.guilty else self.failed

    @property
    def twin(self) -> ir.Node | None:
        """The healthy graph's node in its place: of the same value, of the same name, or fed by the same values."""
        if self.healthy is None or self.node is None:
            return None
        graph = self.healthy.graph
        own = [n for name in made_by(self.node) if (n := self.alignment.namesake(name)) is not None]
        made = next((graph.producers[name] for name in own if name in graph.producers), None)
        if made is not None:
            return made
        if self.alignment.is_close:  # a node without a namesake was added
            return next((node for node in graph.nodes if node.name and node.name == self.node.name), None)
        return self._fed_alike(graph, self.node)

    def _fed_alike(self, graph: Graph, node: ir.Node) -> ir.Node | None:
        """The first node of the same operator that takes what this one takes, constants apart."""
        fed = {twin for name in self.candidate.fed(node) if (twin := self.counterpart(name)) is not None}
        alike = [
            other for other in graph.nodes if other.op_type == node.op_type and fed and fed <= set(graph.fed(other))
        ]
        return next(iter(alike), None)

    def counterpart(self, name: str) -> str | None:
        """The healthy graph's name of a value of the candidate that is right."""
        if name in self.candidate.inputs:
            return self.alignment.names.get(name, name)
        return self.alignment.twin(name, _AGREE)

    def agreeing(self) -> dict[str, str]:
        """The candidate's name of each value of the healthy graph on which both agree."""
        pairs = ((self.alignment.twin(name, _AGREE), name) for name in self.alignment.got.arrays)
        inputs = {self.alignment.names.get(name, name): name for name in self.candidate.inputs}
        return inputs | {twin: name for twin, name in pairs if twin is not None}

    def place(self) -> Place:
        """The node at fault, as reports show it."""
        node, twin = self.node, self.twin
        module = (module_of(node) if node else None) or (module_of(twin) if twin else None)
        line = (line_of(node) if node else None) or (line_of(twin) if twin else None)
        if self.lost is not None:
            module, line = module or self.lost.module, line or self.lost.line
        return Place(
            name_of(node) if node else None,
            node.op_type if node else None,
            self.guilty.value if self.guilty else next(iter(made_by(node)), None) if node else None,
            module,
            line,
            self._how(),
        )

    def _how(self) -> str:
        beside = (
            f"beside the graph that {self.healthy.exporter} makes of the source"
            if self.healthy
            else "beside the source's own operations"
        )
        if self.failed is not None and self.guilty is None:
            return f"the runtime names it, {beside}"
        if self.guilty is None:
            return f"without graph optimization no node differs, {beside}"
        return f"all that it takes agrees and what it makes does not, {beside}"
