"""A part of a tensor replaced by another tensor, at places that may be computed."""

from __future__ import annotations

import onnx_ir as ir

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.sizes import counted, size
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Tensor


@handles("XlaDynamicUpdateSlice")
def dynamic_update_slice(e: Emitter, op: Operation) -> Tensor:
    """The start is moved so that the part lies inside, as XLA does; elements go to their places in the flat tensor."""
    tensor, part, start = op.inputs
    if tensor.rank is None or part.rank != tensor.rank or tensor.rank == 0:
        raise RefusedError("replaces a part of a tensor of unknown rank")
    starts = e.int64(start)
    places: ir.Value | None = None
    for axis in range(tensor.rank):
        have, taken = size(e, tensor, axis), size(e, part, axis)
        first = e.node("Slice", [starts, e.ints(axis), e.ints(axis + 1)])
        inside = e.node("Max", [e.node("Min", [first, e.node("Sub", [have, taken])]), e.ints(0)])
        rows = e.node("Add", [counted(e, taken), inside])
        rows = e.node("Reshape", [rows, e.ints(*[-1], *[1] * (tensor.rank - 1 - axis))])
        places = rows if places is None else e.node("Add", [e.node("Mul", [places, have]), rows])
    assert places is not None
    flat = e.node("Reshape", [e.logical(tensor), e.ints(-1)])
    updates = e.node("Reshape", [e.logical(part), e.ints(-1)])
    made = e.node("ScatterElements", [flat, e.node("Reshape", [places, e.ints(-1)]), updates], axis=0)
    whole = e.node("Shape", [e.logical(tensor)])
    return op.result(e.node("Reshape", [made, whole], allowzero=1), tensor.shape)
