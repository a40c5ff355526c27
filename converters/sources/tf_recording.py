"""The operations of a TensorFlow function: each tensor of its frozen, inlined graph, fetched in one run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from assay.converters.sources.recorded import Recorded
from assay.converters.sources.tf_function import TensorFlowSource

_NOT_WATCHED = frozenset({"Placeholder", "Const", "NoOp", "Assert", "Identity", "IdentityN", "StopGradient"})


def record_tensorflow(source: TensorFlowSource, feeds: Mapping[str, np.ndarray]) -> list[Recorded]:
    """One forward pass with every tensor that is no constant."""
    frozen = convert_variables_to_constants_v2(source.function, lower_control_flow=False, aggressive_inlining=True)
    definition = frozen.graph.as_graph_def()
    wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(definition, name=""), [])
    tensors = [
        t for op in wrapped.graph.get_operations() if op.type not in _NOT_WATCHED for t in op.outputs if _is_plain(t)
    ]
    inputs = [wrapped.graph.as_graph_element(tensor.name) for tensor in frozen.inputs]
    values = wrapped.prune(inputs, tensors)(*[tf.constant(feeds[spec.name]) for spec in source.inputs])
    places = {tensor.name: index for index, tensor in enumerate(tensors)}
    return [_recorded(tensor, np.asarray(value), places) for tensor, value in zip(tensors, values, strict=True)]


def _recorded(tensor: Any, value: np.ndarray, places: Mapping[str, int]) -> Recorded:
    made_from = tuple(places[name] for t in tensor.op.inputs if (name := _origin(t).name) in places)
    return Recorded(tensor.op.type, value, made_from, tensor.op.name)


def _origin(tensor: Any) -> Any:
    """The tensor that identities pass on."""
    while tensor.op.type in ("Identity", "StopGradient"):
        tensor = tensor.op.inputs[0]
    return tensor


def _is_plain(tensor: Any) -> bool:
    return tensor.dtype not in (tf.resource, tf.variant, tf.string)
