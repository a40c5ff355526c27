"""A TensorFlow function whose every operation's result is moved by one unit in the last place, at random.

The spread of its outputs is how far any two correct implementations may differ (Vignes, CESTAC, 1993).
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

_ROUNDING = {
    *(
        "Add",
        "AddV2",
        "AddN",
        "Sub",
        "Mul",
        "Div",
        "RealDiv",
        "DivNoNan",
        "SquaredDifference",
        "BiasAdd",
        "MatMul",
        "BatchMatMul",
    ),
    *(
        "BatchMatMulV2",
        "Einsum",
        "Conv1D",
        "Conv2D",
        "Conv3D",
        "DepthwiseConv2dNative",
        "Conv2DBackpropInput",
        "AvgPool",
        "Sum",
    ),
    *(
        "Mean",
        "Prod",
        "Cumsum",
        "FusedBatchNorm",
        "FusedBatchNormV2",
        "FusedBatchNormV3",
        "Softmax",
        "LogSoftmax",
        "Log",
        "Log1p",
    ),
    *(
        "Exp",
        "Expm1",
        "Sqrt",
        "Rsqrt",
        "Square",
        "Pow",
        "Sigmoid",
        "Tanh",
        "Erf",
        "Erfc",
        "Softplus",
        "Elu",
        "Selu",
        "Sin",
        "Cos",
    ),
}


def shaken_function(function: Any, seed: int) -> Any:
    """A ConcreteFunction like the given one, with variables frozen and functions inlined."""
    frozen = convert_variables_to_constants_v2(function, lower_control_flow=False, aggressive_inlining=True)
    definition = _shaken_graph(frozen.graph.as_graph_def(), seed)
    inputs, outputs = [t.name for t in frozen.inputs], [t.name for t in frozen.outputs]
    wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(definition, name=""), [])
    return wrapped.prune(
        [wrapped.graph.as_graph_element(n) for n in inputs], [wrapped.graph.as_graph_element(n) for n in outputs]
    )


def _shaken_graph(definition: Any, seed: int) -> Any:
    result = tf.compat.v1.GraphDef(versions=definition.versions, library=definition.library)
    shaken = {
        node.name
        for node in definition.node
        if node.op in _ROUNDING and node.attr["T"].type == tf.float32.as_datatype_enum
    }
    template = _template()
    for index, node in enumerate(definition.node):
        copy = result.node.add()
        copy.CopyFrom(node)
        copy.input[:] = [_redirected(name, shaken) for name in node.input]
        if node.name in shaken:
            copy.name = f"{node.name}/raw"
            result.node.extend(_instance(template, node.name, seed, index))
    return result


def _redirected(name: str, shaken: set[str]) -> str:
    """Further outputs of a node are read from the raw node; its first one from the moved value."""
    node, _, output = name.partition(":")
    return f"{node}/raw:{output}" if node in shaken and output not in ("", "0") else name


def _template() -> Any:
    """The operations that move ``raw`` towards a random sign; the last one is ``moved``."""
    with tf.Graph().as_default() as graph:
        raw = tf.compat.v1.placeholder(tf.float32, name="raw")
        unit = tf.sign(tf.random.uniform(tf.shape(raw), -1.0, 1.0, seed=1)) * 2.0**-23
        tf.add(raw, raw * unit, name="moved")
    return graph.as_graph_def()


def _instance(template: Any, name: str, seed: int, index: int) -> list[Any]:
    nodes = []
    for node in template.node:
        if node.name == "raw":
            continue
        copy = tf.compat.v1.NodeDef()
        copy.CopyFrom(node)
        copy.name = name if node.name == "moved" else f"{name}/shake/{node.name}"
        copy.input[:] = [f"{name}/raw" if part == "raw" else f"{name}/shake/{part}" for part in node.input]
        if node.op == "RandomUniform":
            copy.attr["seed"].i, copy.attr["seed2"].i = seed + 1, index + 1
        nodes.append(copy)
    return nodes
