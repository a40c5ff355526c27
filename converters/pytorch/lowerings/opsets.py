"""The operators of ONNX as onnxscript writes them; typed as anything, for their own types tell dtypes apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import onnx_ir as ir
from onnxscript import opset18, opset20

op: Any = opset18
op20: Any = opset20


def double(number: float) -> Any:
    """A constant of float64."""
    return op.Constant(value=ir.tensor(number, ir.DataType.DOUBLE))


def doubles(numbers: Iterable[float]) -> Any:
    """A vector of constants of float64."""
    return op.Constant(value=ir.tensor([float(number) for number in numbers], ir.DataType.DOUBLE))
