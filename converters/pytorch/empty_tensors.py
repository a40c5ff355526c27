"""Graphs of tensors without elements that ONNX's own rules of shapes forbid: refused, for no runtime loads them."""

from __future__ import annotations

import onnx
import onnx_ir as ir

from assay.converters.exporter import ConvertError


def require_loadable(model: ir.Model, name: str) -> None:
    """Raise `ConvertError` where a value is known to be empty and a node's rules forbid it.

    Only then are shapes inferred again; weights beside an empty tensor are those of small models.
    """
    nodes = list(model.graph.all_nodes())
    values = (value for node in nodes for value in (*node.inputs, *node.outputs))
    if not any(map(_is_empty, values)) and not any(map(_copies_a_size, nodes)):
        return
    try:
        onnx.shape_inference.infer_shapes(ir.to_proto(model), strict_mode=True)
    except onnx.shape_inference.InferenceError as error:
        reason = " ".join(str(error).split())[:200]
        sentence = f"calls an operator of a tensor without elements, which ONNX forbids: {reason}"
        raise ConvertError(name, sentence) from error


def _is_empty(value: ir.Value | None) -> bool:
    return value is not None and value.shape is not None and any(size == 0 for size in value.shape)


def _copies_a_size(node: ir.Node) -> bool:
    """Whether a target of Reshape has a zero, which stands for the size that was there."""
    target = node.inputs[1] if node.op_type == "Reshape" else None
    constant = ir.convenience.get_const_tensor(target) if target is not None else None
    return constant is not None and 0 in constant.numpy()
