"""Gelu, which TensorFlow has no operator for, is found in its parts (Hendrycks and Gimpel, 2016)."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import onnx_ir as ir

SINCE = 20  # the opset that has the operator


def write_gelu(model: ir.Model) -> None:
    """Each product ``x / 2 * (1 + erf(x / sqrt(2)))`` in float32, or that with tanh, becomes one node, in place."""
    if model.opset_imports[""] < SINCE:
        return
    for node in [node for node in model.graph.all_nodes() if node.op_type == "Mul"]:
        found = next(_matches(node), None)
        if found is not None:
            _replace(node, *found)


def _replace(node: ir.Node, x: ir.Value, approximate: str) -> None:
    made = ir.node("Gelu", [x], {"approximate": approximate} if approximate != "none" else {}, name=node.name)
    made.metadata_props.update(node.metadata_props)
    new, old = made.outputs[0], node.outputs[0]
    new.name, new.type, new.shape = old.name, old.type, old.shape
    assert node.graph is not None
    ir.convenience.replace_nodes_and_values(node.graph, node, [node], [made], [old], [new])


def _matches(node: ir.Node) -> Iterator[tuple[ir.Value, str]]:
    """The argument, and the kind of approximation."""
    for part, rest in _orders(node):
        for half, other in _orders(part.producer(), "Mul"):
            if not _is(half, 0.5):
                continue
            for x, gate in ((other, rest), (rest, other)):
                kind = _kind(gate, x)
                if kind is not None:
                    yield x, kind


def _orders(node: ir.Node | None, operator: str = "Mul") -> Iterator[tuple[ir.Value, ir.Value]]:
    """The operands of a node of this operator both ways round; of one where order counts, only its own."""
    if node is None or node.op_type != operator or len(node.inputs) != 2:
        return
    a, b = node.inputs
    if a is not None and b is not None:
        yield a, b
        if operator in ("Mul", "Add"):
            yield b, a


def _is(value: ir.Value, number: float) -> bool:
    """Whether it is this number in float32."""
    held = value.const_value
    if held is None or held.size != 1 or held.dtype != ir.DataType.FLOAT:
        return False
    return math.isclose(float(np.asarray(held.numpy()).reshape(())), number, rel_tol=1e-6)


def _kind(gate: ir.Value, x: ir.Value) -> str | None:
    """Which function of x makes ``1 + f(x)``."""
    node = gate.producer()
    for one, other in (*_orders(node, "Add"), *_orders(node, "Sub")):
        inner = other.producer()
        if not _is(one, 1.0) or node is None or inner is None or inner.inputs[0] is None:
            continue
        sign = 1.0 if node.op_type == "Add" else -1.0
        if inner.op_type == "Erf" and _is_scaled(inner.inputs[0], x, sign * math.sqrt(0.5)):
            return "none"
        if inner.op_type == "Tanh" and sign > 0 and _is_cubic(inner.inputs[0], x):
            return "tanh"
    return None


def _is_scaled(value: ir.Value, x: ir.Value, factor: float) -> bool:
    """Whether the value is x times this factor."""
    node = value.producer()
    for number, other in _orders(node, "Mul"):
        negated = other.producer()
        if other is x and _is(number, factor):
            return True
        if negated is not None and negated.op_type == "Neg" and negated.inputs[0] is x and _is(number, -factor):
            return True
    return any(other is x and _is(number, 1 / factor) for other, number in _orders(node, "Div"))


def _is_cubic(value: ir.Value, x: ir.Value) -> bool:
    """Whether the value is ``sqrt(2 / pi) * (x + 0.044715 * x ** 3)``."""
    for number, total in _orders(value.producer()):
        if _is(number, math.sqrt(2 / math.pi)):
            for own, cubed in _orders(total.producer(), "Add"):
                if own is x and any(_is(c, 0.044715) and _is_cube(p, x) for c, p in _orders(cubed.producer())):
                    return True
    return False


def _is_cube(value: ir.Value, x: ir.Value) -> bool:
    node = value.producer()
    return any(base is x and _is(power, 3.0) for base, power in _orders(node, "Pow"))
