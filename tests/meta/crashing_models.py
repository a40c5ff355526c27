"""Models whose own numbers are right, but that kill the runtime, or never end; each in ONNX's text form."""

from __future__ import annotations

from pathlib import Path

import onnx.parser

LOWEST = -(2**63)
HEADER = '<ir_version: 8, opset_import: ["" : 17]>'

HEALTHY = "g (float[batch,6] x) => (float[batch,6] y) { y = Relu(x) }"

# INT64_MIN / -1 overflows, for which x86 raises SIGFPE; the zeros keep constant folding away from it
KILLED_AT_RUN_TIME = f"""
g (float[batch,6] x) => (float[batch,6] y) <int64 lowest = {{{LOWEST}}}, int64 minus_one = {{-1}}> {{
    none = Sub(x, x)
    zeros = Cast<to = 7>(none)
    dividend = Add(zeros, lowest)
    divisor = Add(zeros, minus_one)
    quotient = Div(dividend, divisor)
    nothing = Sub(quotient, quotient)
    zero = Cast<to = 1>(nothing)
    positive = Relu(x)
    y = Add(positive, zero)
}}"""

# the same of constants: the optimizer computes it when the model is loaded
KILLED_AT_LOAD = f"""
g (float[batch,6] x) => (float[batch,6] y) <int64 lowest = {{{LOWEST}}}, int64 minus_one = {{-1}}> {{
    quotient = Div(lowest, minus_one)
    nothing = Sub(quotient, quotient)
    zero = Cast<to = 1>(nothing)
    positive = Relu(x)
    y = Add(positive, zero)
}}"""

ENDLESS = f"""
g (float[batch,6] x) => (float[batch,6] y) <int64 trips = {{{2**62}}}, bool go = {{1}}> {{
    y = Loop(trips, go, x) <body = step (int64 i, bool on, float[batch,6] a) => (bool still_on, float[batch,6] b) {{
        still_on = Identity(on)
        b = Relu(a)
    }}>
}}"""


def write(graph: str, path: Path) -> Path:
    """Write the model that the text describes."""
    path.write_bytes(onnx.parser.parse_model(f"{HEADER} {graph}").SerializeToString())
    return path
