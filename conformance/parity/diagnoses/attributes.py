"""Defects in the attributes of the node at fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx_ir as ir
from onnx import defs, helper

from assay.conformance.parity.diagnoses.diagnosis import Diagnosis
from assay.conformance.parity.diagnoses.mends import SetAttributes
from assay.conformance.parity.localisation.evidence import Evidence
from assay.conformance.parity.localisation.graph import name_of

_BODIES = (ir.AttributeType.GRAPH, ir.AttributeType.GRAPHS)


def attribute(evidence: Evidence) -> Iterator[Diagnosis]:
    """An attribute other than the healthy graph's: epsilon, axis, alpha, pads, mode."""
    node, twin = evidence.node, evidence.twin
    if node is None or twin is None or evidence.healthy is None or _kind(node) != _kind(twin):
        return
    own = effective(node, evidence.candidate.model)
    wanted = effective(twin, evidence.healthy.graph.model)
    mend = SetAttributes(node.outputs[0].name or "", twin.outputs[0].name or "")
    for name in sorted(own.keys() | wanted.keys()):
        got, expected = own.get(name), wanted.get(name)
        if not equal(got, expected):
            told = {"attribute": name, "got": _plain(got), "expected": _plain(expected)}
            yield Diagnosis("attribute", _sentence(node, name, got, expected), name_of(node), told, mend)


def _sentence(node: ir.Node, name: str, got: Any, expected: Any) -> str:
    if node.op_type == "Gelu" and name == "approximate":
        said = {"tanh": "tanh", "none": "erf"}
        return f"GELU of {name_of(node)} is by {said.get(got, got)}, but the source has {said.get(expected, expected)}"
    return f"{name} of {node.op_type} {name_of(node)} is {shown(got)}, but should be {shown(expected)}"


def effective(node: ir.Node, model: ir.Model) -> dict[str, Any]:
    """The attributes with the operator's defaults; bodies apart."""
    found = {name: a.value for name, a in node.attributes.items() if a.type not in _BODIES}
    opset = model.opset_imports.get(node.domain)
    try:
        schema = defs.get_schema(node.op_type, opset or 1, node.domain)
    except defs.SchemaError:
        return found
    defaults = {
        n: helper.get_attribute_value(a.default_value) for n, a in schema.attributes.items() if a.default_value.type
    }
    return {n: v.decode() if isinstance(v, bytes) else v for n, v in defaults.items()} | found


def _kind(node: ir.Node) -> tuple[str, str]:
    return node.domain, node.op_type


def equal(a: Any, b: Any) -> bool:
    """Whether two attributes are the same, floats as float32."""
    if isinstance(a, float) and isinstance(b, float):
        return bool(np.float32(a) == np.float32(b))
    if isinstance(a, ir.TensorProtocol) and isinstance(b, ir.TensorProtocol):
        return bool(np.array_equal(a.numpy(), b.numpy()))
    return list(a) == list(b) if isinstance(a, list | tuple) and isinstance(b, list | tuple) else bool(a == b)


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return list(value)
    return (
        float(np.format_float_scientific(np.float32(value)))
        if isinstance(value, float)
        else value
        if isinstance(value, int | str)
        else str(value)
        if value is not None
        else None
    )


def shown(value: Any) -> str:
    """An attribute in a sentence."""
    return "missing" if value is None else f"{value:.6g}" if isinstance(value, float) else str(_plain(value))
