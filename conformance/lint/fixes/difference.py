"""The diff of two models as text: interface, metadata and nodes; weights as name, dtype and shape."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import onnx_ir as ir


def graph_text(model: ir.Model) -> list[str]:
    """One line a fact, in the order of the graph."""
    return [*_head(model), *_body(model.graph, ""), *_functions(model)]


def difference(before: list[str], after: list[str], name: str) -> str:
    """A unified diff of two texts of `graph_text`."""
    return "\n".join(difflib.unified_diff(before, after, f"a/{name}", f"b/{name}", lineterm="", n=1))


def _head(model: ir.Model) -> Iterator[str]:
    yield f"ir_version {model.ir_version}"
    yield from (f"opset {domain or 'ai.onnx'} {version}" for domain, version in model.opset_imports.items())
    yield from (f"metadata {key}: {value}" for key, value in model.metadata_props.items())


def _body(graph: ir.Graph, indent: str) -> Iterator[str]:
    yield from (f"{indent}input {_typed(value)}" for value in graph.inputs)
    yield from (f"{indent}weight {_typed(value)}{_place(value)}" for value in graph.initializers.values())
    for node in graph:
        yield from _node(node, indent)
    yield from (f"{indent}output {_typed(value)}" for value in graph.outputs)


def _functions(model: ir.Model) -> Iterator[str]:
    for function in model.functions.values():
        yield f"function {function.domain}::{function.name}"
        for node in function:
            yield from _node(node, "  ")


def _node(node: ir.Node, indent: str) -> Iterator[str]:
    plain = {
        name: a
        for name, a in node.attributes.items()
        if a.type not in (ir.AttributeType.GRAPH, ir.AttributeType.GRAPHS)
    }
    outputs, inputs = (
        ", ".join("" if v is None else str(v.name) for v in values) for values in (node.outputs, node.inputs)
    )
    attributes = "".join(f" {name}={_attribute(a)}" for name, a in sorted(plain.items()))
    domain = f"{node.domain}." if node.domain else ""
    yield f"{indent}{outputs} = {domain}{node.op_type}({inputs}){attributes}  # {node.name or 'no name'}"
    for attribute in (a for name, a in sorted(node.attributes.items()) if name not in plain):
        graphs = attribute.as_graphs() if attribute.type == ir.AttributeType.GRAPHS else [attribute.as_graph()]
        for graph in graphs:
            yield from _body(graph, f"{indent}  {attribute.name}: ")


def _attribute(attribute: ir.Attr) -> str:
    if attribute.is_ref():
        return f"@{attribute.ref_attr_name}"
    if isinstance(attribute.value, ir.TensorProtocol):
        tensor = attribute.value
        return f"{tensor.dtype.name}{list(tensor.shape)}" if tensor.size > 8 else str(tensor.numpy().tolist())
    return str(attribute.value)[:100]


def _typed(value: ir.Value) -> str:
    shape = "" if value.shape is None else f"[{','.join(str(dim) for dim in value.shape)}]"
    return f"{value.name}: {value.dtype.name if value.dtype else '?'}{shape}"


def _place(value: ir.Value) -> str:
    tensor = value.const_value
    return f" in {tensor.location} at {tensor.offset or 0}" if isinstance(tensor, ir.ExternalTensor) else ""
