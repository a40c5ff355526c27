"""The values inside a graph on one probe: every tensor that a node computes becomes an output for one run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx_ir as ir

from assay.conformance.exchange import read_arrays, write_arrays
from assay.conformance.isolation import Worker, WorkerDied, WorkerTimedOut
from assay.conformance.parity.localisation.deadline import Deadline
from assay.conformance.parity.localisation.graph import Graph
from assay.conformance.providers.runtime import RuntimeRefused, SessionKey, run_session
from assay.converters.bundle import save_model
from assay.converters.files import read_model

_AT_ONCE = 256
_NODE = re.compile(r"Name:'node_(\d+)'")
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Captured:
    """The arrays by the name of the value; where the model does not run, ``failed`` is the node at fault."""

    values: Arrays
    failed: ir.Node | None = None
    failure: str | None = None


@dataclass(frozen=True)
class Camera:
    """Runs graphs in the worker, without optimization and on one thread, so that equal nodes give equal bits."""

    worker: Worker
    folder: Path
    deadline: Deadline
    provider: str = "cpu"

    def capture(
        self, graph: Graph, feeds: Mapping[str, np.ndarray], changed: Mapping[str, np.ndarray] | None = None
    ) -> Captured:
        """Every tensor inside; ``changed`` takes the place of weights. A model that fails gives what it had by then."""
        names = graph.capturable()
        try:
            return Captured(self._all(graph, names, feeds, changed or {}))
        except (RuntimeRefused, WorkerDied, WorkerTimedOut) as error:
            return self._up_to_failure(graph, feeds, error)

    def _all(
        self,
        graph: Graph,
        names: Sequence[str],
        feeds: Mapping[str, np.ndarray],
        changed: Mapping[str, np.ndarray],
        nodes: int | None = None,
    ) -> Arrays:
        values: Arrays = {}
        for start in range(0, len(names), _AT_ONCE):
            self.deadline.check()
            values |= self._run(graph, names[start : start + _AT_ONCE], feeds, changed, nodes)
        return values

    def _up_to_failure(self, graph: Graph, feeds: Mapping[str, np.ndarray], error: Exception) -> Captured:
        """The values before the first node that fails: the one that the runtime names, else it is searched for."""
        count, message = len(graph.nodes), str(error)
        while True:
            named = _NODE.search(message)
            count = int(named[1]) if named and int(named[1]) < count else self._last_that_runs(graph, feeds, count)
            kept = {name for node in graph.nodes[:count] for name in (v.name for v in node.outputs) if name}
            try:
                values = self._all(graph, [n for n in graph.capturable() if n in kept], feeds, {}, count)
            except (RuntimeRefused, WorkerDied, WorkerTimedOut) as again:
                if count == 0:
                    return Captured({}, None, message)
                message = str(again)
                continue
            failed = graph.nodes[count] if count < len(graph.nodes) else None
            return Captured(values, failed, _NODE.sub("", message))

    def _last_that_runs(self, graph: Graph, feeds: Mapping[str, np.ndarray], failing: int) -> int:
        """How many nodes from the start run, by bisection; ``failing`` nodes do not."""
        running = 0
        while failing - running > 1:
            middle = (running + failing) // 2
            made = {v.name for node in graph.nodes[:middle] for v in node.outputs}
            shown = [name for name in graph.capturable() if name in made]  # what leads to no output is not run
            try:
                self._all(graph, shown, feeds, {}, middle)
            except (RuntimeRefused, WorkerDied, WorkerTimedOut):
                failing = middle
            else:
                running = middle
        return running

    def _run(
        self,
        graph: Graph,
        names: Sequence[str],
        feeds: Mapping[str, np.ndarray],
        changed: Mapping[str, np.ndarray],
        nodes: int | None,
    ) -> Arrays:
        number = len(list(self.folder.iterdir()))
        path = self.folder / f"{number}.onnx"
        save_model(_exposed(read_model(graph.path), names, changed, nodes), path)
        fed = write_arrays({n: a for n, a in feeds.items() if n in graph.inputs}, self.folder / f"{number}.in")
        key = SessionKey(path.resolve(), self.provider, 1, "disable")
        return read_arrays(self.worker.call(run_session, key, fed, self.folder / f"{number}.out"))


def _exposed(model: ir.Model, names: Sequence[str], changed: Mapping[str, np.ndarray], count: int | None) -> ir.Model:
    """The first nodes of the model, with these values as its only outputs and with other weights."""
    graph = model.graph
    for index, node in enumerate(graph):
        node.name = f"node_{index}"
    for name, array in changed.items():
        graph.initializers[name].const_value = ir.tensor(array, name=name)
    values = {value.name: value for node in graph for value in node.outputs}
    graph.outputs[:] = [values[name] for name in names]
    for value in graph.outputs:
        value.shape, value.type = None, None  # the runtime infers both; what the model declares may be wrong
    if count is not None:
        graph.remove(list(graph)[count:], safe=False)
    return model
