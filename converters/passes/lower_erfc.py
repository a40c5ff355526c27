"""Erfc, which some exporters write though no opset has it, becomes ``1 - Erf(x)``."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from assay.converters.passes.context import PassContext


def lower_erfc(model: ir.Model, _context: PassContext) -> None:
    """Rewrite in place; right to the dtype's epsilon of 1, which is what GELU's ``x * erfc`` needs."""
    for node in [node for node in model.graph.all_nodes() if node.op_type == "Erfc"]:
        _lower(node)


def _lower(node: ir.Node) -> None:
    (x,), (y,) = node.inputs, node.outputs
    dtype = (x.dtype if x is not None and x.dtype else None) or ir.DataType.FLOAT
    one = ir.Node(
        "", "Constant", [], [ir.AttrTensor("value", ir.tensor(np.array(1, dtype.numpy())))], name=f"{node.name}/one"
    )
    erf = ir.Node("", "Erf", [x], name=f"{node.name}/erf")
    subtract = ir.Node("", "Sub", [one.outputs[0], erf.outputs[0]], name=f"{node.name}/complement")
    for new, suffix in ((one, "one"), (erf, "erf")):
        new.outputs[0].name = f"{y.name}/{suffix}"
        new.outputs[0].dtype = dtype
    assert node.graph is not None
    ir.convenience.replace_nodes_and_values(node.graph, node, [node], [one, erf, subtract], [y], [subtract.outputs[0]])
