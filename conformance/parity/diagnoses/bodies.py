"""Defects inside Loop, If and Scan: where the body at fault parts from the body of the healthy graph's node.

The node takes what it should and makes what it should not, so the difference is in its body. The two bodies are walked
side by side, as they are run in each iteration, up to the first node that is another, or is fed otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest

import numpy as np
import onnx_ir as ir

from assay.conformance.parity.diagnoses.attributes import effective, equal, shown
from assay.conformance.parity.diagnoses.diagnosis import Diagnosis
from assay.conformance.parity.diagnoses.mends import SetAttributes
from assay.conformance.parity.localisation.evidence import Evidence
from assay.conformance.parity.localisation.graph import bodies, is_constant, line_of, name_of

_Names = dict[str, str]
_Difference = tuple[ir.Node | None, str]


def other_body(evidence: Evidence) -> Iterator[Diagnosis]:
    """The first node in the body that is not the healthy one's; where none can be told, that it is inside."""
    node, twin = evidence.node, evidence.twin
    if node is None or evidence.guilty is None or not bodies(node):
        return
    whole = f"{node.op_type} {name_of(node)}"
    if twin is None or twin.op_type != node.op_type or evidence.healthy is None:
        yield Diagnosis("inside", f"the difference starts inside {whole}", name_of(node))
        return
    found = _Walk(evidence.candidate.model, evidence.healthy.graph.model, evidence.alignment.names).through(node, twin)
    if found is None:
        yield Diagnosis("inside", f"the difference starts inside {whole}, whose body reads as it should", name_of(node))
        return
    inner, told = found
    named = {"inside": name_of(inner), "op": inner.op_type} if inner is not None else {}
    line = line_of(inner) if inner is not None else None
    sentence = f"in the body of {whole}, {told}" + (f" ({line})" if line else "")
    mend = SetAttributes(node.outputs[0].name or "", twin.outputs[0].name or "")
    yield Diagnosis("other-body", sentence, name_of(node), named, mend)


class _Walk:
    """Two models side by side; ``outer`` has the healthy name of each value outside of the bodies."""

    def __init__(self, own: ir.Model, healthy: ir.Model, outer: Mapping[str, str]) -> None:
        self.own, self.healthy, self.outer = own, healthy, outer

    def through(self, node: ir.Node, twin: ir.Node, names: _Names | None = None) -> _Difference | None:
        """The first difference of the bodies of two nodes; a node that is None stands for the body's edge."""
        mine, theirs = bodies(node), bodies(twin)
        pairs = zip(mine, theirs, strict=False)
        return next((found for pair in pairs if (found := self._graphs(*pair, dict(names or {}))) is not None), None)

    def _graphs(self, own: ir.Graph, healthy: ir.Graph, names: _Names) -> _Difference | None:
        names.update(zip((v.name or "" for v in own.inputs), (v.name or "" for v in healthy.inputs), strict=False))
        for node, twin in zip_longest(_computing(own), _computing(healthy)):
            if node is None or twin is None:
                return _left_over(node, twin)
            told = self._nodes(node, twin, names)
            if told is not None:
                return node, f"{node.op_type} {name_of(node)} {told}"
            inner = self.through(node, twin, names)
            if inner is not None:
                return inner
            names.update(zip((v.name or "" for v in node.outputs), (v.name or "" for v in twin.outputs), strict=False))
        for index, (value, wanted) in enumerate(zip(own.outputs, healthy.outputs, strict=False)):
            if not self._is(value, wanted, names):
                return None, f"output {index} is {value.name}, but should be {wanted.name}"
        return None

    def _nodes(self, node: ir.Node, twin: ir.Node, names: _Names) -> str | None:
        """How a node differs from the one in its place; None where it does not."""
        if (node.domain, node.op_type) != (twin.domain, twin.op_type):
            return f"is {node.op_type}, but should be {twin.op_type}"
        got, expected = effective(node, self.own), effective(twin, self.healthy)
        for name in sorted(got.keys() | expected.keys()):
            if not equal(got.get(name), expected.get(name)):
                return f"has {name} {shown(got.get(name))}, but should have {shown(expected.get(name))}"
        for index, (value, wanted) in enumerate(zip_longest(node.inputs, twin.inputs)):
            if not self._is(value, wanted, names):
                return f"takes {_told(value)} as input {index}, but should take {_told(wanted)}"
        return None

    def _is(self, value: ir.Value | None, wanted: ir.Value | None, names: _Names) -> bool:
        if value is None or wanted is None:
            return value is wanted
        got, expected = _array(value), _array(wanted)
        if got is not None and expected is not None:
            return got.dtype == expected.dtype and np.array_equal(got, expected)
        own = value.name or ""
        return (names.get(own) or self.outer.get(own, own)) == wanted.name


def _computing(graph: ir.Graph) -> Iterator[ir.Node]:
    return (node for node in graph if not is_constant(node))


def _left_over(node: ir.Node | None, twin: ir.Node | None) -> _Difference:
    if node is not None:
        return node, f"{node.op_type} {name_of(node)} is one too many"
    assert twin is not None
    return None, f"{twin.op_type} {name_of(twin)} is missing"


def _array(value: ir.Value) -> np.ndarray | None:
    tensor = value.const_value or ir.convenience.get_const_tensor(value)
    return None if tensor is None else np.asarray(tensor.numpy())


def _told(value: ir.Value | None) -> str:
    array = None if value is None else _array(value)
    if array is not None and array.size <= 8:
        return str(array.tolist())
    return "nothing" if value is None else value.name or "nothing"
