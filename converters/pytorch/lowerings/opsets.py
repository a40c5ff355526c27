"""The operators of ONNX as onnxscript writes them; typed as anything, for their own types tell dtypes apart."""

from __future__ import annotations

from typing import Any

from onnxscript import opset18, opset20

op: Any = opset18
op20: Any = opset20
