"""Weights that are stored more than once or are subnormal, and external data in an unsafe layout."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from onnx_ir.passes.common import DeduplicateInitializersPass

from assay.conformance.lint.fixes.registry import Draft, fixes


@fixes("WT002")
def share_weights(draft: Draft) -> None:
    """Equal weights become one."""
    DeduplicateInitializersPass(size_limit=1 << 40)(draft.model)


@fixes("WT003")
def flush_subnormal_weights(draft: Draft) -> None:
    """Weights too small for a normal float32 become zero, which is 1e-38 away."""
    for value in draft.graph.initializers.values():
        tensor = value.const_value
        if tensor is None or tensor.dtype not in (ir.DataType.FLOAT, ir.DataType.DOUBLE):
            continue
        array = tensor.numpy()
        subnormal = (array != 0) & (np.abs(array) < np.finfo(array.dtype).tiny)
        if subnormal.any():
            value.const_value = ir.tensor(np.where(subnormal, array.dtype.type(0), array), name=value.name)


@fixes("SE003", "SE004", "SE012")
def lay_out_again(draft: Draft) -> None:
    """Writing puts all external data into one file beside the model, aligned, each tensor apart."""
    draft.external = True
