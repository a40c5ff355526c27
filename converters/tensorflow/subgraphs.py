"""What the bodies of If and Loop give."""

from __future__ import annotations

from collections.abc import Sequence

import onnx_ir as ir

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import onnx_dtype
from assay.converters.tensorflow.tensor import Tensor


def outputs(e: Emitter, nodes: list[ir.Node], tensors: Sequence[Tensor]) -> list[ir.Value]:
    """The outputs of the subgraph that is being written, of which these are the nodes: each a node's own value."""
    made: list[ir.Value] = []
    for tensor in tensors:
        value = e.logical(tensor)
        own = any(value.producer() is node for node in reversed(nodes))
        if not own or any(value is other for other in made):
            value = e.node("Identity", [value])
        value.type = ir.TensorType(onnx_dtype(tensor.dtype))
        made.append(value)
    return made
