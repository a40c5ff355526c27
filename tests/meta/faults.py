"""Single faults that are planted in a healthy graph, each with the name of the node that it sits in.

A fault that does not apply to a graph raises `NotApplicable`; the node is None where the fault is the interface's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ml_dtypes
import numpy as np
import onnx_ir as ir


class NotApplicable(Exception):
    """The graph has nothing that the fault could be planted in."""


Planted = str | None
Plant = Callable[[ir.Model], Planted]


@dataclass(frozen=True)
class Fault:
    """A fault and the kinds of diagnosis that name it."""

    plant: Plant
    kinds: frozenset[str]


def _node(model: ir.Model, *op_types: str, last: bool = False) -> ir.Node:
    found = [node for node in model.graph if node.op_type in op_types]
    if not found:
        raise NotApplicable(", ".join(op_types))
    return found[-1 if last else 0]


def _weights(
    model: ir.Model, fits: Callable[[np.ndarray], bool] = lambda _array: True
) -> tuple[ir.Node, ir.Value, np.ndarray]:
    """A weight in the middle of the graph: the node that takes it, the value, the array."""
    takers = [node for node in model.graph if node.op_type in ("Gemm", "MatMul", "Conv")]
    taken = [(node, value, _array(value)) for node in takers for value in node.inputs[1:2]]
    found = [
        (node, value, array) for node, value, array in taken if value is not None and array is not None and fits(array)
    ]
    if not found:
        raise NotApplicable("weights")
    return found[len(found) // 2]


def _array(value: ir.Value | None) -> np.ndarray | None:
    return None if value is None or value.const_value is None else value.const_value.numpy()


def _set(value: ir.Value, array: np.ndarray) -> None:
    value.const_value = ir.tensor(array, name=value.name)
    value.shape = ir.Shape(array.shape)


def _constant(model: ir.Model, array: np.ndarray) -> ir.Value:
    name = f"fault_{len(model.graph.initializers)}"
    value = ir.Value(name=name, const_value=ir.tensor(array, name=name), shape=ir.Shape(array.shape))
    value.type = ir.TensorType(ir.DataType.from_numpy(array.dtype))
    model.graph.register_initializer(value)
    return value


def _insert_before(model: ir.Model, node: ir.Node, index: int, new: ir.Node) -> str:
    model.graph.insert_before(node, new)
    node.replace_input_with(index, new.outputs[0])
    new.name = "planted"
    return "planted"


def _operator(node: ir.Node, op_type: str, *attributes: ir.Attr) -> Planted:
    node.op_type = op_type
    node.attributes.clear()
    node.attributes.update({attribute.name: attribute for attribute in attributes})
    return node.name


def weight_change(
    change: Callable[[np.ndarray], np.ndarray], fits: Callable[[np.ndarray], bool] = lambda _a: True
) -> Plant:
    """A weight in the middle of the graph replaced by what the function makes of it."""

    def plant(model: ir.Model) -> Planted:
        node, value, array = _weights(model, fits)
        _set(value, np.ascontiguousarray(change(array)))
        return node.name

    return plant


def attribute_change(op_types: tuple[str, ...], name: str, change: Callable[[ir.Node], ir.Attr]) -> Plant:
    """An attribute of the first such node."""

    def plant(model: ir.Model) -> Planted:
        node = _node(model, *op_types)
        node.attributes[name] = change(node)
        return node.name

    return plant


def _noise(array: np.ndarray) -> np.ndarray:
    noise: np.ndarray = 1 + 1e-4 * np.random.default_rng(0).standard_normal(array.shape)
    changed: np.ndarray = (array * noise).astype(array.dtype)
    return changed


def _int8(array: np.ndarray) -> np.ndarray:
    step = np.abs(array).max() / 7
    grid: np.ndarray = (np.round(array / step) * step).astype(array.dtype)
    return grid


def _zero_row(array: np.ndarray) -> np.ndarray:
    changed = array.copy()
    changed[1] = 0
    return changed


def _rounded(dtype: type) -> Callable[[np.ndarray], np.ndarray]:
    return lambda array: array.astype(dtype).astype(array.dtype)


def _is_square(array: np.ndarray) -> bool:
    return array.ndim == 2 and array.shape[0] == array.shape[1]


def dropped_bias(model: ir.Model) -> Planted:
    """A convolution or Gemm without its bias."""
    node = _node(model, "Gemm", "Conv")
    if len(node.inputs) < 3 or node.inputs[2] is None:
        raise NotApplicable("bias")
    node.replace_input_with(2, None)
    return node.name


def dropped_add(model: ir.Model) -> Planted:
    """The last Add but one takes no part any more: the mask of an attention, or a bias."""
    found = [node for node in model.graph if node.op_type == "Add" and not node.outputs[0].is_graph_output()]
    if not found:
        raise NotApplicable("Add")
    node = found[len(found) // 2]
    taker = next(usage.node for usage in node.outputs[0].uses() if usage.node.op_type != "Shape")
    kept = next(value for value in node.inputs if value is not None and value.const_value is None)
    node.outputs[0].replace_all_uses_with(kept)
    model.graph.remove(node)
    return taker.name


def swapped_inputs(model: ir.Model) -> Planted:
    """The operands of a subtraction, division or concatenation the other way round."""
    node = _node(model, "Sub", "Div")
    left, right = node.inputs[:2]
    node.replace_input_with(0, right)
    node.replace_input_with(1, left)
    return node.name


def baked_reshape(model: ir.Model) -> Planted:
    """The target of a Reshape is the constant of the traced sizes."""
    for node in model.graph:
        if node.op_type == "Reshape" and node.outputs[0].shape is not None and node.inputs[1] is not None:
            dims = list(node.outputs[0].shape)
            if any(not isinstance(dim, int) for dim in dims):
                sizes = {"batch": 2, "time": 17}
                target = [dim if isinstance(dim, int) else sizes.get(str(dim.value), 0) for dim in dims]
                if all(target):
                    node.replace_input_with(1, _constant(model, np.array(target)))
                    return node.name
    raise NotApplicable("Reshape")


def ignored_mask(model: ir.Model) -> Planted:
    """Ones take the place of the mask, which stays declared."""
    mask = next((value for value in model.graph.inputs if value.name == "mask"), None)
    if mask is None:
        raise NotApplicable("mask")
    usage = next(iter(mask.uses()))
    usage.node.replace_input_with(usage.idx, _constant(model, np.ones((1, 1), np.float32)))
    return usage.node.name


def extra_node(op_type: str, place: str) -> Plant:
    """One more node in front of the first of that operator."""

    def plant(model: ir.Model) -> Planted:
        node = _node(model, place)
        return _insert_before(model, node, 0, ir.Node("", op_type, [node.inputs[0]]))

    return plant


def applied_twice(model: ir.Model) -> Planted:
    """A Softmax behind the Softmax; which of two equal nodes is one too many is nothing that could be told."""
    node = _node(model, "Softmax")
    usage = next(iter(node.outputs[0].uses()), None)
    if usage is None:
        raise NotApplicable("a taker of Softmax")
    again = ir.Node("", "Softmax", [node.outputs[0]], [ir.AttrInt64("axis", -1)])
    return _insert_before(model, usage.node, usage.idx, again)


def log_of_softmax(model: ir.Model) -> Planted:
    """LogSoftmax by a Softmax over another axis and Log."""
    node = _node(model, "LogSoftmax")
    before = ir.Node("", "Softmax", [node.inputs[0]], [ir.AttrInt64("axis", 0)], name="before")
    model.graph.insert_before(node, before)
    node.replace_input_with(0, before.outputs[0])
    return _operator(node, "Log")


def relu6(model: ir.Model) -> Planted:
    """Relu that ends at six."""
    node = _node(model, "Relu")
    bounds = [_constant(model, np.array(bound, np.float32)) for bound in (0, 6)]
    made = node.outputs[0]
    new = ir.Node("", "Clip", [node.inputs[0], *bounds], name="clipped")
    model.graph.insert_before(node, new)
    made.replace_all_uses_with(new.outputs[0], replace_graph_outputs=True)
    name, made.name = made.name, "away"
    new.outputs[0].name = name
    model.graph.remove(node)
    return new.name


def maximum(model: ir.Model) -> Planted:
    """The largest where the mean is meant."""
    node = _node(model, "ReduceMean")
    node.op_type = "ReduceMax"
    return node.name


def swapped_outputs(model: ir.Model) -> Planted:
    """Two outputs under each other's name."""
    if len(model.graph.outputs) < 2:
        raise NotApplicable("outputs")
    left, right = model.graph.outputs[:2]
    first, second = left.name, right.name
    left.name, right.name = "away", first
    left.name = second
    return None


def dropped_output(model: ir.Model) -> Planted:
    """The last output is not given."""
    if len(model.graph.outputs) < 2:
        raise NotApplicable("outputs")
    del model.graph.outputs[-1]
    return None


def fixed_batch(model: ir.Model) -> Planted:
    """The first axis is declared as the traced size."""
    value = model.graph.inputs[0]
    assert value.shape is not None
    value.shape = ir.Shape([2, *list(value.shape)[1:]])
    return None


def float64_output(model: ir.Model) -> Planted:
    """The first output as float64."""
    old = model.graph.outputs[0]
    node = ir.Node("", "Cast", [old], [ir.AttrInt64("to", ir.DataType.DOUBLE)], name="planted")
    model.graph.append(node)
    old.name, node.outputs[0].name = f"{old.name}_before", old.name
    node.outputs[0].type = ir.TensorType(ir.DataType.DOUBLE)
    model.graph.outputs[0] = node.outputs[0]
    return "planted"


def other_constant(model: ir.Model) -> Planted:
    """A factor one per cent off: the scale of an attention."""
    for node in model.graph:
        for value in node.inputs if node.op_type in ("Mul", "Div") else ():
            if value is not None and value.const_value is not None and value.const_value.numpy().size == 1:
                _set(value, (value.const_value.numpy() * 1.01).astype(np.float32))
                return node.name
            constant = None if value is None else ir.convenience.get_const_tensor(value)
            if constant is not None and constant.size == 1 and constant.dtype == ir.DataType.FLOAT:
                changed = _constant(model, np.asarray(constant.numpy() * np.float32(1.01)))
                node.replace_input_with(list(node.inputs).index(value), changed)
                return node.name
    raise NotApplicable("factor")


def _scaled_epsilon(node: ir.Node) -> ir.Attr:
    return ir.AttrFloat32("epsilon", max(node.attributes["epsilon"].as_float() * 1e2, 1e-5))


def _other_axis(_node: ir.Node) -> ir.Attr:
    return ir.AttrInt64("axis", 0)


def _shifted(node: ir.Node) -> ir.Attr:
    pads = list(node.attributes["pads"].as_ints()) if "pads" in node.attributes else [0, 0, 0, 0]
    if sum(pads) < 4 or len(pads) != 4:
        raise NotApplicable("pads")
    return ir.AttrInt64s("pads", [pads[0] - 1, pads[1] - 1, pads[2] + 1, pads[3] + 1])


def _attribute(*kinds: str) -> frozenset[str]:
    return frozenset(kinds or ("attribute",))


_WEIGHTS = frozenset({"weights"})
_NORMS = ("LayerNormalization", "BatchNormalization", "InstanceNormalization", "GroupNormalization")
FAULTS: dict[str, Fault] = {
    "epsilon": Fault(attribute_change(_NORMS, "epsilon", _scaled_epsilon), _attribute()),
    "tanh GELU": Fault(
        attribute_change(("Gelu",), "approximate", lambda _n: ir.AttrString("approximate", "tanh")), _attribute()
    ),
    "axis of Softmax": Fault(attribute_change(("Softmax", "LogSoftmax"), "axis", _other_axis), _attribute()),
    "slope of LeakyRelu": Fault(
        attribute_change(("LeakyRelu",), "alpha", lambda _n: ir.AttrFloat32("alpha", 0.01)), _attribute()
    ),
    "coordinates of Resize": Fault(
        attribute_change(
            ("Resize",),
            "coordinate_transformation_mode",
            lambda _n: ir.AttrString("coordinate_transformation_mode", "asymmetric"),
        ),
        _attribute(),
    ),
    "mode of Resize": Fault(
        attribute_change(("Resize",), "mode", lambda _n: ir.AttrString("mode", "nearest")), _attribute()
    ),
    "pads of Conv": Fault(attribute_change(("Conv",), "pads", _shifted), _attribute()),
    "alpha of Gemm": Fault(
        attribute_change(("Gemm",), "alpha", lambda _n: ir.AttrFloat32("alpha", 1.01)), _attribute()
    ),
    "LeakyRelu for Relu": Fault(
        lambda m: _operator(_node(m, "Relu"), "LeakyRelu", ir.AttrFloat32("alpha", 0.01)), _attribute("other-operator")
    ),
    "Relu6 for Relu": Fault(relu6, _attribute("other-operator")),
    "Max for Mean": Fault(
        maximum,
        _attribute("other-operator"),
    ),
    "Sigmoid for Tanh": Fault(lambda m: _operator(_node(m, "Tanh"), "Sigmoid"), _attribute("other-operator")),
    "Softmax left out": Fault(lambda m: _operator(_node(m, "Softmax"), "Identity"), _attribute("other-operator")),
    "Log of Softmax": Fault(log_of_softmax, _attribute("other-operator", "added-node")),
    "Softmax twice": Fault(applied_twice, _attribute("added-node")),
    "negated": Fault(extra_node("Neg", "Add"), _attribute("added-node")),
    "dropped Add": Fault(dropped_add, _attribute("missing-node", "other-input", "missing-operand")),
    "swapped operands": Fault(swapped_inputs, _attribute("swapped-inputs", "other-input", "weights")),
    "ignored mask": Fault(ignored_mask, _attribute("ignored-input")),
    "baked Reshape": Fault(baked_reshape, _attribute("baked-target", "baked-value")),
    "factor 1 % off": Fault(other_constant, _WEIGHTS),
    "noise": Fault(weight_change(_noise), _WEIGHTS),
    "float16": Fault(weight_change(_rounded(np.float16)), _WEIGHTS),
    "bfloat16": Fault(weight_change(_rounded(ml_dtypes.bfloat16)), _WEIGHTS),
    "int4": Fault(weight_change(_int8), _WEIGHTS),
    "zero row": Fault(weight_change(_zero_row), _WEIGHTS),
    "transposed": Fault(weight_change(np.transpose, _is_square), _WEIGHTS),
    "scaled": Fault(weight_change(lambda array: array * np.float32(1.001)), _WEIGHTS),
    "dropped bias": Fault(dropped_bias, _attribute("missing-operand")),
    "swapped outputs": Fault(swapped_outputs, _attribute("swapped-outputs")),
    "dropped output": Fault(dropped_output, _attribute("dropped-output")),
    "fixed batch": Fault(fixed_batch, _attribute("fixed-axis")),
    "float64 output": Fault(float64_output, _attribute("added-node")),
}
