"""Which of torch's operators have a translation, and what it is: our own table before torch's, read once an opset."""

from __future__ import annotations

from functools import cache
from typing import Any

from torch.onnx._internal.exporter import _decomp, _registration

from assay.converters.pytorch.lowerings.registry import load_table

OLDEST_OPSET = 18  # of torch's translations; an older one is reached by converting the graph


@cache
def translations(opset: int) -> Any:
    """The table for this opset; not to be changed."""
    registry = _registration.ONNXRegistry.from_torchlib(opset_version=max(opset, OLDEST_OPSET))
    for operator, lowering in load_table().translations.items():
        registry.register_op(operator, lowering.function)
    return registry


@cache
def translated(opset: int) -> frozenset[Any]:
    """The operators that have a translation."""
    return frozenset(_decomp.get_onnx_implemented_overloads(translations(opset)))


@cache
def decompositions(opset: int) -> dict[Any, Any]:
    """For the operators that have none, what torch computes them from."""
    return dict(_decomp.create_onnx_friendly_decomposition_table(set(translated(opset))))
