"""Texts, where ONNX has the same operator (opset 20)."""

from __future__ import annotations

import numpy as np

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Tensor, broadcast


@handles("StringJoin")
def join(e: Emitter, op: Operation) -> Tensor:
    """One after the other, with a separator between."""
    separator = e.constant(np.array(op.attr("separator"), object))
    value = e.logical(op.inputs[0])
    for tensor in op.inputs[1:]:
        if op.attr("separator"):
            value = e.node("StringConcat", [value, separator])
        value = e.node("StringConcat", [value, e.logical(tensor)])
    return op.result(value, broadcast([tensor.shape for tensor in op.inputs]))


@handles("StaticRegexFullMatch", "RegexFullMatch")
def full_match(e: Emitter, op: Operation) -> Tensor:
    """Whether the whole text matches; both sides use RE2."""
    pattern = op.attr("pattern") if op.type.startswith("Static") else op.array(1, "pattern").reshape(-1)[0]
    text = pattern.decode() if isinstance(pattern, bytes) else str(pattern)
    return op.result(e.node("RegexFullMatch", [e.logical(op.inputs[0])], pattern=text), op.inputs[0].shape)


@handles("AsString")
def as_string(e: Emitter, op: Operation) -> Tensor:
    """Of integers in plain decimals; what has a width, a precision or a fraction is written otherwise."""
    (tensor,) = op.inputs
    plain = int(op.attr("width")) == -1 and not op.attr("fill")
    if not plain or not tensor.dtype.startswith(("int", "uint")):
        raise RefusedError(f"writes {tensor.dtype} in a form that ONNX does not have")
    return op.result(e.node("Cast", [e.logical(tensor)], to=op.onnx_dtype()), tensor.shape)


_REFUSED = {
    "StringLower": "lowers letters, which ONNX does by locale",
    "StringUpper": "raises letters, which ONNX does by locale",
    "StringToNumber": "reads numbers from texts, where the two disagree about what is one",
    "StringSplitV2": "gives ragged texts",
    "StringLength": "measures texts",
    "Substr": "cuts texts",
    "RegexReplace": "replaces by a regular expression",
    "StaticRegexReplace": "replaces by a regular expression",
    "StringToHashBucketFast": "hashes texts",
    "StringStrip": "strips texts",
}


@handles(*_REFUSED)
def refused(_e: Emitter, op: Operation) -> Tensor:
    """What ONNX has no operator for, or one of another meaning."""
    raise RefusedError(_REFUSED[op.type])
