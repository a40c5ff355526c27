"""Split learnt to count its outputs in opset 18; before that, it has to be told their sizes."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from assay.converters.passes.context import PassContext

_COUNTED = "num_outputs"
_SINCE = 18


def write_split_sizes(model: ir.Model, context: PassContext) -> None:  # noqa: ARG001 - every pass takes it
    """Give each Split the sizes that ``num_outputs`` means, where the axis has a size; in place."""
    if (model.opset_imports.get("") or _SINCE) >= _SINCE:
        return
    for node in model.graph:
        if node.op_type == "Split" and node.domain in ("", "ai.onnx") and _COUNTED in node.attributes:
            _write(node, model.graph)


def _write(node: ir.Node, graph: ir.Graph) -> None:
    data, count = node.inputs[0], node.attributes.get_int(_COUNTED, 0)
    axis = node.attributes.get_int("axis", 0)
    size = data.shape[axis] if data is not None and data.shape is not None and axis < len(data.shape) else None
    if not isinstance(size, int) or not count or len(node.inputs) > 1:
        return
    chunk = -(-size // count)  # all parts but the last are as large as the largest
    sizes = [max(0, min(chunk, size - index * chunk)) for index in range(count)]
    name = f"{node.outputs[0].name}_sizes"
    value = ir.Value(name=name, const_value=ir.tensor(np.array(sizes, np.int64), name=name))
    value.shape, value.type = ir.Shape([count]), ir.TensorType(ir.DataType.INT64)
    graph.initializers[name] = value
    node.resize_inputs(2)
    node.replace_input_with(1, value)
    node.attributes.pop(_COUNTED)
