"""Attention of heads as ONNX's operator, which opset 23 brought."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.registry import Call, composes
from assay.converters.tensorflow.tensor import Tensor

_SINCE = 23
_MASKED = float(np.finfo(np.float32).min * 0.7)  # what Keras puts in the place of a masked score


@composes("attention")
def attention(e: Emitter, op: Operation, call: Call) -> Sequence[Tensor] | None:
    """Query, key and value are [batch, length, heads, size]; ONNX takes heads and sizes as one axis."""
    query, key, value = (call[role] for role in ("query", "key", "value"))
    if e.opset < _SINCE or any(t.dtype != "float32" or t.rank != 4 for t in (query, key, value)):
        return None
    counts = [_heads(tensor) for tensor in (query, key, value)]
    known = [count for count in counts if count is not None]
    if len(known) < len(counts):
        return None
    mask = call.get("mask")
    joined = [_joined(e, t, heads * size) for t, (heads, size) in zip((query, key, value), known, strict=True)]
    found = e.node(
        "Attention",
        [*joined, *([] if mask is None else [_mask(e, call, mask, joined)])],
        q_num_heads=known[0][0],
        kv_num_heads=known[1][0],
        scale=call.settings["scale"],
        is_causal=1 if call.settings["causal"] else None,
    )
    heads, size = known[0][0], known[2][1]
    apart = e.node("Reshape", [found, e.ints(0, 0, heads, size)])
    return [op.result(apart, (query.dim(0), query.dim(1), heads, size))]


def _heads(tensor: Tensor) -> tuple[int, int] | None:
    heads, size = tensor.dim(2), tensor.dim(3)
    return (heads, size) if isinstance(heads, int) and isinstance(size, int) else None


def _joined(e: Emitter, tensor: Tensor, width: int) -> ir.Value:
    return e.node("Reshape", [e.logical(tensor), e.ints(0, 0, width)])


def _mask(e: Emitter, call: Call, mask: Tensor, joined: Sequence[ir.Value]) -> ir.Value:
    """[batch or 1, heads or 1, queries, keys], which both lengths have to be written out for.

    Where all keys are masked Keras gives the mean of all values, or with dropout zeros; the operator gives zeros for
    a mask of bools, and what a softmax gives for numbers.
    """
    allowed = e.logical(mask) if mask.dtype == "bool" else e.node("Cast", [e.logical(mask)], to=ir.DataType.BOOL)
    if mask.rank == 3:
        allowed = e.node("Unsqueeze", [allowed, e.ints(1)])
    lengths = [e.node("Shape", [value], start=1, end=2) for value in joined[:2]]
    whole = e.node("Expand", [allowed, e.node("Concat", [e.ints(1, 1), *lengths], axis=0)])
    if call.settings["zero_where_all_is_masked"]:
        return whole
    numbers = (e.constant(np.array(number, np.float32)) for number in (0.0, _MASKED))
    return e.node("Where", [whole, *numbers])
