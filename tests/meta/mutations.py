"""The ways in which a healthy ``torch_models.Encoder`` bundle is broken, and the findings that each must give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir


@dataclass(frozen=True)
class Mutation:
    """One defect: what it does to the graph in place, and the rule codes that tell of it."""

    change: Callable[[ir.Model], None]
    codes: frozenset[str]


def nan_output(model: ir.Model) -> None:
    """The first output is not a number."""
    _append(model, 0, "Mul", np.float32(np.nan))


def infinite_element(model: ir.Model) -> None:
    """One element of each row is infinite; the others are right."""
    _append(model, 0, "Add", np.array([0, np.inf, 0], np.float32))


def dropped_output(model: ir.Model) -> None:
    """The last output is gone."""
    del model.graph.outputs[-1]


def baked_batch(model: ir.Model) -> None:
    """The batch is declared dynamic, but a Reshape has the traced one in its target."""
    _set_constant(model, _node(model, "Reshape").inputs[1], np.array([2, 8]))


def fixed_batch(model: ir.Model) -> None:
    """The batch is declared as the size that the model was traced at."""
    model.graph.inputs[0].shape = ir.Shape([2, 6])


def tanh_gelu(model: ir.Model) -> None:
    """GELU by its tanh approximation instead of erf."""
    _node(model, "Gelu").attributes["approximate"] = ir.AttrString("approximate", "tanh")


def larger_epsilon(model: ir.Model) -> None:
    """LayerNorm's epsilon 1e-5 instead of 1e-12, which is invisible at an atol of 1e-4."""
    _node(model, "LayerNormalization").attributes["epsilon"] = ir.AttrFloat32("epsilon", 1e-5)


def swapped_outputs(model: ir.Model) -> None:
    """Two outputs of the same shape under each other's name."""
    left, right = model.graph.outputs
    left.name, right.name = "away", "left"
    left.name = "right"


def broadcast_output(model: ir.Model) -> None:
    """One row instead of one a sample: right by shape in a batch of one, and by broadcasting in any."""
    _append(model, 0, "ReduceMean", np.array([0]))


def float64_output(model: ir.Model) -> None:
    """The right numbers as float64."""
    node = ir.Node("", "Cast", [model.graph.outputs[0]], [ir.AttrInt64("to", ir.DataType.DOUBLE)])
    _as_output(model, 0, node, ir.DataType.DOUBLE)


def changed_weight(model: ir.Model) -> None:
    """Every weight of one layer 0.1 % too large."""
    weight = model.graph.initializers["left.weight"]
    _set_constant(model, weight, weight.const_value.numpy() * np.float32(1.001))  # type: ignore[union-attr]


def dropout_at_run_time(model: ir.Model) -> None:
    """Dropout whose training mode is true, but is known only when the model runs: no optimizer removes it."""
    graph, hidden = model.graph, _node(model, "Gelu").outputs[0]
    ratio, zero = _constant(model, np.float32(0.5)), _constant(model, np.float32(0))
    squares = ir.Node("", "ReduceSumSquare", [graph.inputs[0]], [ir.AttrInt64("keepdims", 0)])
    training = ir.Node("", "GreaterOrEqual", [squares.outputs[0], zero])
    dropout = ir.Node("", "Dropout", [hidden, ratio, training.outputs[0]])
    reshape = _node(model, "Reshape")
    graph.insert_before(reshape, [squares, training, dropout])
    reshape.replace_input_with(0, dropout.outputs[0])


def dropout_in_training_mode(model: ir.Model) -> None:
    """Dropout whose training mode is a constant: ONNX Runtime's optimizer takes it out, and so hides it by default."""
    graph, hidden = model.graph, _node(model, "Gelu").outputs[0]
    ratio, training = _constant(model, np.float32(0.5)), _constant(model, np.bool_(True))
    dropout = ir.Node("", "Dropout", [hidden, ratio, training])
    reshape = _node(model, "Reshape")
    graph.insert_before(reshape, dropout)
    reshape.replace_input_with(0, dropout.outputs[0])


MUTATIONS = {
    "a NaN output": Mutation(nan_output, frozenset({"PA005"})),
    "an infinite element": Mutation(infinite_element, frozenset({"PA005"})),
    "a dropped output": Mutation(dropped_output, frozenset({"PA002"})),
    "a baked batch": Mutation(baked_batch, frozenset({"PA006"})),
    "a fixed batch": Mutation(fixed_batch, frozenset({"PA006"})),
    "tanh GELU": Mutation(tanh_gelu, frozenset({"PA001"})),
    "a larger LayerNorm epsilon": Mutation(larger_epsilon, frozenset({"PA001"})),
    "swapped outputs": Mutation(swapped_outputs, frozenset({"PA001"})),
    "a broadcast output": Mutation(broadcast_output, frozenset({"PA004"})),
    "a float64 output": Mutation(float64_output, frozenset({"PA003"})),
    "a weight 0.1 % off": Mutation(changed_weight, frozenset({"PA001"})),
    "Dropout in training mode": Mutation(dropout_in_training_mode, frozenset({"PA019"})),
    "Dropout at run time": Mutation(dropout_at_run_time, frozenset({"PA001", "PA015"})),
}


def _node(model: ir.Model, op_type: str, index: int = 0) -> ir.Node:
    return [node for node in model.graph if node.op_type == op_type][index]


def _constant(model: ir.Model, array: np.ndarray | np.generic) -> ir.Value:
    name = f"mutation_{len(model.graph.initializers)}"
    value = ir.Value(name=name, const_value=ir.tensor(np.asarray(array), name=name))
    model.graph.register_initializer(value)
    return value


def _set_constant(model: ir.Model, value: ir.Value | None, array: np.ndarray) -> None:
    assert value is not None
    assert value.name in model.graph.initializers
    value.const_value = ir.tensor(array, name=value.name)
    value.shape = ir.Shape(array.shape)


def _append(model: ir.Model, index: int, op_type: str, operand: np.ndarray | np.generic) -> None:
    """Pass an output through one more operator with a constant."""
    output = model.graph.outputs[index]
    _as_output(model, index, ir.Node("", op_type, [output, _constant(model, operand)]), output.dtype)


def _as_output(model: ir.Model, index: int, node: ir.Node, dtype: ir.DataType | None) -> None:
    old, new = model.graph.outputs[index], node.outputs[0]
    model.graph.append(node)
    old.name, new.name = f"{old.name}_before", old.name
    new.type = ir.TensorType(dtype) if dtype is not None else None
    model.graph.outputs[index] = new
