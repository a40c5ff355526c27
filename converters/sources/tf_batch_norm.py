"""Batch normalization of TensorFlow written out for inference, where there is no kernel of the wanted dtype."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

_FUSED = {"FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"}


def normalization(node: Any) -> list[Any]:
    """The nodes that give ``(x - mean) * scale / sqrt(variance + epsilon) + offset``; none for any other node.

    The last one has the name of the given node; the statistics that training wants are not among its outputs.
    """
    if node.op not in _FUSED or node.attr["is_training"].b:
        return []
    kind, name = node.attr["T"].type, node.name
    x, *parameters = node.input[:5]
    epsilon = _constant(f"{name}/epsilon", node.attr["epsilon"].f, kind)
    channels = _constant(f"{name}/channels", [-1] + [1] * _trailing(node), tf.int32.as_datatype_enum)
    shaped = [_node("Reshape", f"{name}/{i}", kind, p, channels.name) for i, p in enumerate(parameters)]
    for part in shaped:
        part.attr["Tshape"].type = tf.int32.as_datatype_enum
    scale, offset, mean, variance = (part.name for part in shaped)
    rest = [
        _node("AddV2", f"{name}/padded", kind, variance, epsilon.name),
        _node("Rsqrt", f"{name}/inverse", kind, f"{name}/padded"),
        _node("Mul", f"{name}/factor", kind, f"{name}/inverse", scale),
        _node("Sub", f"{name}/centered", kind, x, mean),
        _node("Mul", f"{name}/scaled", kind, f"{name}/centered", f"{name}/factor"),
        _node("AddV2", name, kind, f"{name}/scaled", offset),
    ]
    return [epsilon, channels, *shaped, *rest]


def _trailing(node: Any) -> int:
    """The number of axes after the channels."""
    layout = node.attr["data_format"].s.decode() or "NHWC"
    return len(layout) - 1 - layout.index("C")


def _node(op: str, name: str, kind: int, *inputs: str) -> Any:
    node = tf.compat.v1.NodeDef(name=name, op=op, input=inputs)
    node.attr["T"].type = kind
    return node


def _constant(name: str, value: Any, kind: int) -> Any:
    node = tf.compat.v1.NodeDef(name=name, op="Const")
    node.attr["dtype"].type = kind
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value, dtype=kind))
    return node
