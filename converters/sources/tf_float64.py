"""A TensorFlow graph in float64: constants, dtype attributes, and the functions that it calls.

An operation without a kernel for float64, or whose signature names float32, stays as it is between casts. Inference
batch normalization, which has no such kernel, is written out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow.python.framework import kernels, op_def_registry
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from assay.converters.sources.tf_batch_norm import normalization

_HIGH = {
    types_pb2.DT_HALF: types_pb2.DT_DOUBLE,
    types_pb2.DT_BFLOAT16: types_pb2.DT_DOUBLE,
    types_pb2.DT_FLOAT: types_pb2.DT_DOUBLE,
    types_pb2.DT_COMPLEX64: types_pb2.DT_COMPLEX128,
}
_SUFFIX = "_float64"
_UP = "/float64/up"


def float64_function(function: Any) -> tuple[Any, tuple[str, ...]]:
    """A ConcreteFunction like the given one in float64, and the operations that stay in float32."""
    frozen = convert_variables_to_constants_v2(function, lower_control_flow=False, aggressive_inlining=True)
    definition, kept = to_float64(frozen.graph.as_graph_def())
    inputs, outputs = [t.name for t in frozen.inputs], [t.name for t in frozen.outputs]
    wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(definition, name=""), [])
    pruned = wrapped.prune(
        [wrapped.graph.as_graph_element(n) for n in inputs], [wrapped.graph.as_graph_element(n) for n in outputs]
    )
    return pruned, kept


def to_float64(definition: Any) -> tuple[Any, tuple[str, ...]]:
    """The GraphDef in float64, and the operations that stay in float32, sorted."""
    result = tf.compat.v1.GraphDef(versions=definition.versions)
    kept: set[str] = set()
    result.node.extend(_Body(False, kept).rewritten(definition.node))
    for function in definition.library.function:
        result.library.function.append(_function(function, kept))
    _rename_functions(result)
    return result, tuple(sorted(kept))


def _rename_functions(definition: Any) -> None:
    """TensorFlow knows one function of a name in a process, and the original is there."""
    own = {function.signature.name for function in definition.library.function}
    for function in definition.library.function:
        function.signature.name += _SUFFIX
    bodies = (definition.node, *(function.node_def for function in definition.library.function))
    for node in (node for body in bodies for node in body):
        node.op += _SUFFIX if node.op in own else ""
        for value in node.attr.values():
            for called in [value.func] if value.HasField("func") else value.list.func:
                called.name += _SUFFIX if called.name in own else ""


def _function(function: Any, kept: set[str]) -> Any:
    copy = type(function)()
    copy.CopyFrom(function)
    for argument in (*copy.signature.input_arg, *copy.signature.output_arg):
        argument.type = _HIGH.get(argument.type, argument.type)
    body = _Body(True, kept)
    del copy.node_def[:]
    copy.node_def.extend(body.rewritten(function.node_def))
    for key, value in function.ret.items():
        copy.ret[key] = body.renamed(value)
    return copy


@dataclass
class _Body:
    """The nodes of a graph or of a function while they are rewritten: the two write references in other ways."""

    within_function: bool
    kept: set[str]
    moved: dict[str, str] = field(default_factory=dict)

    def rewritten(self, nodes: Sequence[Any]) -> list[Any]:
        rows = [part for node in nodes for part in self._node(node)]
        for node in rows:
            if not node.name.endswith(_UP):
                node.input[:] = [self.renamed(name) for name in node.input]
        return rows

    def renamed(self, name: str) -> str:
        """Where consumers find in float64 what another node gives now."""
        return self.moved.get(name if ":" in name or self.within_function else f"{name}:0", name)

    def _node(self, node: Any) -> Iterator[Any]:
        high = type(node)()
        high.CopyFrom(node)
        _raise_types(high.attr)
        if _runs(high) and _types(high) == [[_HIGH.get(t, t) for t in side] for side in _types(node)]:
            yield high
            return
        written = normalization(high)
        if not written:
            yield from self._between_casts(node)
            return
        yield from written
        if self.within_function:
            self.moved[f"{node.name}:y:0"] = f"{node.name}:z:0"

    def _between_casts(self, node: Any) -> Iterator[Any]:
        low = type(node)()
        low.CopyFrom(node)
        inputs, outputs = _types(node)
        if any(kind in _HIGH for kind in outputs):
            self.kept.add(node.op)
        for position, kind in enumerate(inputs):
            if kind in _HIGH:
                name = f"{node.name}/float64/{position}"
                yield _cast(name, node.input[position], _HIGH[kind], kind)
                low.input[position] = self._cast_output(name)
        yield low
        for position, (kind, own) in enumerate(zip(outputs, self._outputs(node), strict=True)):
            if kind in _HIGH:
                name = f"{node.name}/{position}{_UP}"
                yield _cast(name, own, kind, _HIGH[kind])
                self.moved[own] = self._cast_output(name)

    def _cast_output(self, name: str) -> str:
        return f"{name}:y:0" if self.within_function else name

    def _outputs(self, node: Any) -> list[str]:
        if not self.within_function:
            return [f"{node.name}:{index}" for index in range(len(_types(node)[1]))]
        arguments = op_def_registry.get(node.op).output_arg
        return [f"{node.name}:{a.name}:{index}" for a in arguments for index in range(len(_of_argument(a, node)))]


def _cast(name: str, source: str, low: int, high: int) -> Any:
    node = tf.compat.v1.NodeDef(name=name, op="Cast", input=[source])
    node.attr["SrcT"].type, node.attr["DstT"].type = low, high
    return node


def _raise_types(attributes: Any) -> None:
    for key in list(attributes):
        value = attributes[key]
        if value.HasField("type"):
            value.type = _HIGH.get(value.type, value.type)
        elif value.HasField("tensor") and value.tensor.dtype in _HIGH:
            array = tf.make_ndarray(value.tensor)
            wide = np.complex128 if array.dtype.kind == "c" else np.float64
            value.tensor.CopyFrom(tf.make_tensor_proto(array.astype(wide), shape=array.shape))
        elif value.HasField("list") and value.list.type:
            value.list.type[:] = [_HIGH.get(t, t) for t in value.list.type]


def _types(node: Any) -> list[list[int]]:
    """The dtypes of the node's inputs and outputs, by its signature and attributes."""
    definition = op_def_registry.get(node.op)
    if definition is None:  # a call of a function of the graph's library
        return [list(node.attr["Tin"].list.type), list(node.attr["Tout"].list.type)]
    sides = (definition.input_arg, definition.output_arg)
    return [[kind for argument in side for kind in _of_argument(argument, node)] for side in sides]


def _of_argument(argument: Any, node: Any) -> list[int]:
    if argument.type_list_attr:
        return list(node.attr[argument.type_list_attr].list.type)
    kind = argument.type or node.attr[argument.type_attr].type
    return [kind] * (node.attr[argument.number_attr].i if argument.number_attr else 1)


def _runs(node: Any) -> bool:
    """Whether the operation may have these dtypes, and has a kernel for them on the CPU."""
    definition = op_def_registry.get(node.op)
    if definition is None:
        return True
    for attribute in definition.attr:
        allowed = attribute.allowed_values.list.type
        if (
            attribute.type == "type"
            and allowed
            and attribute.name in node.attr
            and node.attr[attribute.name].type not in allowed
        ):
            return False
    found = [k for k in kernels.get_registered_kernels_for_op(node.op).kernel if k.device_type in ("CPU", "DEFAULT")]
    return not found or any(_takes(kernel.constraint, node.attr) for kernel in found)


def _forbids(attribute: Any, node: Any) -> bool:
    allowed = attribute.allowed_values.list.type if attribute.type == "type" else ()
    return bool(allowed) and attribute.name in node.attr and node.attr[attribute.name].type not in allowed


def _takes(constraints: Any, attributes: Mapping[str, Any]) -> bool:
    return all(
        not constraint.allowed_values.list.type
        or attributes[constraint.name].type in constraint.allowed_values.list.type
        for constraint in constraints
        if constraint.name in attributes and attributes[constraint.name].HasField("type")
    )
