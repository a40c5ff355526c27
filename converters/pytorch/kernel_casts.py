"""Nodes get dtypes for which ONNX Runtime has kernels, by exact casts around them; what has none is refused."""

from __future__ import annotations

from typing import Any

import onnx_ir as ir

from assay.converters.exporter import ConvertError
from assay.converters.legal_types import Types, types_of
from assay.converters.refusal import RefusedError

# ONNX Runtime casts these to float32 and back itself
_CAST_BY_RUNTIME = {ir.DataType.FLOAT16}
_PROMOTING = {"Add", "Sub", "Mul", "Div", "Min", "Max", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"}
_SUBGRAPHS = {"If", "Loop", "Scan", "SequenceMap", "Constant", "Cast", "Identity"}


def cast_for_kernels(model: ir.Model, name: str) -> None:
    """Insert casts in place; raises `ConvertError` for a node that no kernel takes."""
    opset = model.opset_imports.get("", 20)
    for node in list(model.graph.all_nodes()):
        if node.domain or node.op_type in _SUBGRAPHS:
            continue
        types = _types(node, opset, name)
        if types is not None and _promoted(node, types, name):
            types = _types(node, opset, name)
        if types is not None:
            _cast(node, types)


def _types(node: ir.Node, opset: int, name: str) -> Types | None:
    try:
        return types_of(node.op_type, node.inputs, _attributes(node), opset, "")
    except RefusedError as error:
        raise ConvertError(name, f"{_called(node)} {error}") from error


def _called(node: ir.Node) -> str:
    """How the source calls what the node is made of."""
    return node.metadata_props.get("pkg.torch.onnx.fx_node", node.name or node.op_type).partition(" ")[0].lstrip("%")


def _attributes(node: ir.Node) -> dict[str, Any]:
    return {name: attribute.value for name, attribute in node.attributes.items()}


def _promoted(node: ir.Node, types: Types, name: str) -> bool:
    """Cast whole numbers beside numbers to the dtype of those, as PyTorch does; raise for other mixtures."""
    places: dict[str, dict[int, ir.Value]] = {}
    for index, value in enumerate(node.inputs):
        variable = types.signature.input(index)
        if value is not None and value.dtype is not None and variable in types.own:
            places.setdefault(variable, {})[index] = value
    mixed = [values for values in places.values() if len({value.dtype for value in values.values()}) > 1]
    for values in mixed:
        found = {value.dtype for value in values.values() if value.dtype is not None}
        floats = {dtype for dtype in found if dtype.is_floating_point()}
        if node.op_type not in _PROMOTING or len(floats) != 1:
            told = " and ".join(sorted(dtype.name.lower() for dtype in found))
            raise ConvertError(
                name, f"{_called(node)} needs {node.op_type} of {told} at once, but should have one dtype"
            )
        (dtype,) = floats
        for index, value in values.items():
            if value.dtype != dtype:
                node.replace_input_with(index, _inserted(node, value, dtype, before=True))
    return bool(mixed)


def _cast(node: ir.Node, types: Types) -> None:
    kernel = {v: d for v, d in types.kernel.items() if types.own[v] not in _CAST_BY_RUNTIME}
    for index, value in enumerate(node.inputs):
        dtype = kernel.get(types.signature.input(index))
        if value is not None and dtype is not None:
            node.replace_input_with(index, _inserted(node, value, dtype, before=True))
    for index, output in enumerate(node.outputs):
        wide, back = types.output(index)
        if types.signature.output(index) in kernel and wide is not None and back is not None:
            _cast_back(node, output, wide, back)
        elif output.dtype is None and wide is not None:
            output.dtype = wide


def _cast_back(node: ir.Node, output: ir.Value, wide: ir.DataType, back: ir.DataType) -> None:
    users, own = list(output.uses()), _Output(output)
    output.dtype = wide
    cast = _inserted(node, output, back, before=False)
    for user, place in users:
        user.replace_input_with(place, cast)
    own.moved_to(cast)


class _Output:
    """A value's places among the outputs of its graph, which a cast takes over with its name."""

    def __init__(self, value: ir.Value) -> None:
        self.value, self.graph = value, value.graph
        outputs = [] if self.graph is None else self.graph.outputs
        self.places = [index for index, output in enumerate(outputs) if output is value]

    def moved_to(self, other: ir.Value) -> None:
        """Put the other in its place."""
        if self.graph is None or not self.places:
            return
        for index in self.places:
            self.graph.outputs[index] = other
        other.name, self.value.name = self.value.name, f"{self.value.name}_in_kernel"


def _inserted(node: ir.Node, value: ir.Value, dtype: ir.DataType, *, before: bool) -> ir.Value:
    name = f"{node.name}/{value.name}/as_{dtype.name.lower()}"
    cast = ir.Node("", "Cast", [value], [ir.AttrInt64("to", int(dtype))], name=name)
    cast.outputs[0].name, cast.outputs[0].dtype, cast.outputs[0].shape = name, dtype, value.shape
    assert node.graph is not None
    (node.graph.insert_before if before else node.graph.insert_after)(node, cast)
    return cast.outputs[0]
