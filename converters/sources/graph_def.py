"""A frozen GraphDef in a ``.pb`` file: its placeholders are the inputs, its unconsumed nodes the outputs."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError

from assay.converters.sources.base import Request, SourceError, resolve_inputs
from assay.converters.sources.tf_function import TensorFlowSource, spec_from_tf

_SWITCHES = ("Switch", "RefSwitch")
_SILENT = ("NoOp", "Placeholder", "Const", *_SWITCHES)


def open_file(path: Path, request: Request) -> TensorFlowSource:
    """Import a frozen graph and cut it at its placeholders and ends."""
    definition = tf.compat.v1.GraphDef()
    try:
        definition.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise SourceError(request.name, "is no GraphDef, or is truncated: its protobuf can't be decoded") from error
    inputs, outputs = _ends(definition)
    if not inputs or not outputs:
        raise SourceError(request.name, "has no placeholder or no output node, but should be a frozen inference graph")
    wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(definition, name=""), [])
    feeds, fetches = ({name: wrapped.graph.get_tensor_by_name(f"{name}:0") for name in n} for n in (inputs, outputs))
    function = wrapped.prune(list(feeds.values()), fetches)
    own = [spec_from_tf(name, tf.TensorSpec(tensor.shape, tensor.dtype)) for name, tensor in feeds.items()]
    specs = resolve_inputs(request.name, own, request.inputs, request.hints)
    return TensorFlowSource("graph-def", request, specs, lambda values: function(*values), function)


def _ends(definition: Any) -> tuple[list[str], list[str]]:
    consumed = {name.lstrip("^").split(":")[0] for node in definition.node for name in node.input}
    inputs = [node.name for node in definition.node if node.op == "Placeholder"]
    switches = {node.name for node in definition.node if node.op in _SWITCHES}
    outputs = [
        node.name
        for node in definition.node
        if node.name not in consumed and node.op not in _SILENT and not _is_passed_on(node, switches)
    ]
    return inputs, outputs


def _is_passed_on(node: Any, switches: Set[str]) -> bool:
    """Whether a node marks a branch of a condition of TensorFlow 1, and is dead where the other one is taken."""
    return node.op == "Identity" and node.input[0].split(":")[0] in switches
