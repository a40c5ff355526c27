"""A TensorFlow function whose every operation's result is moved by one unit in the last place, at random.

The spread of its outputs is how far any two correct implementations may differ (Vignes, CESTAC, 1993).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ml_dtypes
import numpy as np
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


# operations whose ties an implementation may break as it likes, with the inputs that decide their order
_ORDERS = {
    **dict.fromkeys(("ArgMax", "ArgMin", "TopK", "TopKV2", "NthElement", "InTopKV2"), (0,)),
    **dict.fromkeys((f"NonMaxSuppression{version}" for version in ("", "V2", "V3", "V4", "V5")), (0, 1)),
    "NonMaxSuppressionWithOverlaps": (0, 1),
    "CombinedNonMaxSuppression": (0, 1),
}
_FLOATS = {kind.as_datatype_enum: kind for kind in (tf.float16, tf.bfloat16, tf.float32, tf.float64)}
_SUMS = ("Mean", "Sum")
_WAVER = 4  # units in the last place


def shaken_function(function: Any, seed: int) -> Any:
    """A ConcreteFunction like the given one, with variables frozen and functions inlined.

    With an even seed each element goes its own way, with an odd one equal values go together.
    """
    return _rebuilt(function, lambda definition: _shaken_graph(definition, seed))


def wavering_function(function: Any, seed: int) -> Any:
    """As `shaken_function`; weights and what an order is decided by move by a few units in the last place, too."""
    return _rebuilt(function, lambda definition: _wavering_graph(_shaken_graph(definition, seed), seed))


def _rebuilt(function: Any, change: Callable[[Any], Any]) -> Any:
    frozen = convert_variables_to_constants_v2(function, lower_control_flow=False, aggressive_inlining=True)
    definition = change(frozen.graph.as_graph_def())
    inputs, outputs = [t.name for t in frozen.inputs], [t.name for t in frozen.outputs]
    wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(definition, name=""), [])
    return wrapped.prune(
        [wrapped.graph.as_graph_element(n) for n in inputs], [wrapped.graph.as_graph_element(n) for n in outputs]
    )


def _shaken_graph(definition: Any, seed: int) -> Any:
    result = tf.compat.v1.GraphDef(versions=definition.versions, library=definition.library)
    shaken = {node.name for node in definition.node if node.op in _ROUNDING and _kind(node) in _FLOATS}
    template = _template if seed % 2 == 0 else _template_alike
    templates = {kind: template(_FLOATS[kind]) for kind in {*map(_kind, definition.node)} & {*_FLOATS}}
    for index, node in enumerate(definition.node):
        copy = result.node.add()
        copy.CopyFrom(node)
        copy.input[:] = [_redirected(name, shaken) for name in node.input]
        if node.name in shaken:
            copy.name = f"{node.name}/raw"
            feeds, used = {"raw": copy.name}, templates[_kind(node)]
            if seed % 2 == 1 and node.op in _SUMS:
                feeds, used = feeds | dict(zip(("x", "axes"), copy.input, strict=False)), _template_of_sum(node)
            result.node.extend(_instance(used, feeds, node.name, (seed, index)))
    return result


def _wavering_graph(definition: Any, seed: int) -> Any:
    result = tf.compat.v1.GraphDef(versions=definition.versions, library=definition.library)
    generator = np.random.default_rng(seed)
    for index, node in enumerate(definition.node):
        copy = result.node.add()
        copy.CopyFrom(node)
        if node.op == "Const" and node.attr["dtype"].type in _FLOATS:
            _move_constant(copy.attr["value"].tensor, generator)
        for position in _ORDERS.get(node.op, ()) if _kind(node) in _FLOATS else ():
            copy.input[position] = f"{node.name}/wavering/{position}"
            template = _wavering_template(_FLOATS[_kind(node)])
            place = (seed, index * 8 + position)
            result.node.extend(_instance(template, {"raw": node.input[position]}, copy.input[position], place))
    return result


def _kind(node: Any) -> int:
    """To ask protobuf's map for a key that it lacks would add it."""
    kind: int = node.attr["T"].type if "T" in node.attr else 0
    return kind


def _move_constant(tensor: Any, generator: np.random.Generator) -> None:
    """Weights move; single numbers, such as an epsilon or a threshold, are what they are."""
    value = tf.make_ndarray(tensor)
    if value.size < 2:
        return
    moved = value.astype(np.float64)
    moved *= 1 + _WAVER * _eps(tensor.dtype) * np.sign(generator.random(value.shape) - 0.5)
    tensor.CopyFrom(tf.make_tensor_proto(moved.astype(value.dtype), shape=value.shape))


def _redirected(name: str, shaken: set[str]) -> str:
    """Further outputs of a node are read from the raw node; its first one from the moved value."""
    node, _, output = name.partition(":")
    return f"{node}/raw:{output}" if node in shaken and output not in ("", "0") else name


def _template(kind: Any) -> Any:
    """The operations that move ``raw`` towards a random sign; the last one is ``moved``."""
    with tf.Graph().as_default() as graph:
        raw = tf.compat.v1.placeholder(kind, name="raw")
        unit = tf.sign(tf.random.uniform(tf.shape(raw), -1.0, 1.0, seed=1)) * _eps(kind)
        tf.add(raw, raw * tf.cast(unit, kind), name="moved")
    return graph.as_graph_def()


def _template_alike(kind: Any) -> Any:
    """As `_template`; equal values go together, as one implementation rounds them: by a hash of the value."""
    with tf.Graph().as_default() as graph:
        _moved_alike(tf.compat.v1.placeholder(kind, name="raw"), kind)
    return graph.as_graph_def()


def _moved_alike(value: Any, kind: Any) -> Any:
    bits = tf.bitcast(tf.cast(value, tf.float64), tf.int64)
    salt = tf.cast(tf.random.uniform([], 0.0, 2.0**30, seed=1), tf.int64)
    mixed = tf.bitwise.bitwise_xor(bits, tf.bitwise.right_shift(bits, 29)) * 0x9E3779B97F4A7C1 + salt
    mixed = tf.bitwise.bitwise_xor(mixed, tf.bitwise.right_shift(mixed, 32)) * 0x85EBCA6B
    up = tf.cast(tf.bitwise.bitwise_and(tf.bitwise.right_shift(mixed, 31), 1), tf.float64) * 2.0 - 1.0
    return tf.add(value, value * tf.cast(up * _eps(kind), kind), name="moved")


def _template_of_sum(node: Any) -> Any:
    """A sum or mean with a running total in its own dtype, then moved alike; ``raw`` tells its shape alone."""
    kind = _FLOATS[_kind(node)]
    with tf.Graph().as_default() as graph:
        x, raw = tf.compat.v1.placeholder(kind, name="x"), tf.compat.v1.placeholder(kind, name="raw")
        axes = tf.compat.v1.placeholder(tf.as_dtype(node.attr["Tidx"].type), name="axes")
        rank = tf.rank(x)
        summed = tf.reduce_any(tf.one_hot(tf.reshape(tf.cast(axes, tf.int32), [-1]) % rank, rank) > 0, axis=0)
        every = tf.range(rank)
        last = tf.boolean_mask(every, summed)
        ordered = tf.transpose(x, tf.concat([tf.boolean_mask(every, ~summed), last], 0))
        count = tf.reduce_prod(tf.gather(tf.shape(x), last))
        total = tf.cumsum(tf.reshape(ordered, [-1, count]), axis=1)[:, -1]
        total = total / tf.cast(count, kind) if node.op == "Mean" else total
        _moved_alike(tf.reshape(total, tf.shape(raw)), kind)
    return graph.as_graph_def()


def _wavering_template(kind: Any) -> Any:
    """The operations that move ``raw`` by some units of its own size, or of the size of the whole tensor."""
    with tf.Graph().as_default() as graph:
        raw = tf.compat.v1.placeholder(kind, name="raw")
        high, least = tf.cast(raw, tf.float64), float(_limits(kind).tiny) / _eps(kind)  # zeros are ties, too
        size = tf.maximum(tf.sqrt(tf.reduce_mean(tf.square(high))), least)
        unit = tf.random.uniform(tf.shape(raw), -1.0, 1.0, seed=1) * (_WAVER * _eps(kind))
        tf.add(raw, tf.cast(tf.cast(unit, tf.float64) * tf.maximum(tf.abs(high), size), kind), name="moved")
    return graph.as_graph_def()


def _eps(kind: Any) -> float:
    return float(_limits(kind).eps)


def _limits(kind: Any) -> Any:
    return ml_dtypes.finfo(tf.as_dtype(kind).as_numpy_dtype)  # type: ignore[no-untyped-call]


def _instance(template: Any, feeds: Mapping[str, str], name: str, place: tuple[int, int]) -> list[Any]:
    """The template's nodes under names of their own; ``feeds`` says what stands for its placeholders."""
    nodes = []
    for node in template.node:
        if node.name in feeds:
            continue
        copy = tf.compat.v1.NodeDef()
        copy.CopyFrom(node)
        copy.name = name if node.name == "moved" else f"{name}/shake/{node.name}"
        copy.input[:] = [feeds.get(part) or f"{name}/shake/{part}" for part in node.input]
        if node.op == "RandomUniform":
            copy.attr["seed"].i, copy.attr["seed2"].i = place[0] + 1, place[1] + 1
        nodes.append(copy)
    return nodes
