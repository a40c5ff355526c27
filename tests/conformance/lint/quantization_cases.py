"""Models that keep and break the rules of quantization."""

from __future__ import annotations

from typing import Any

import numpy as np
from lint_models import METADATA, Case, graph, ramp, rows

PAIR = "q = QuantizeLinear(x, scale, zero) y = DequantizeLinear(q, scale, zero)"
LIMIT = np.iinfo(np.int32).max
SOFTMAX = "q = QuantizeLinear(x, s, z) d = DequantizeLinear(q, s, z) p = Softmax(d)"
PRECISION = METADATA | {"assay.precision": "static-int8"}


def quantized(scale: str, zero: str = "int8 zero = {0}") -> str:
    """A pair of QuantizeLinear and DequantizeLinear with this scale and zero point."""
    return rows(PAIR, f"float scale = {{{scale}}}, {zero}")


def dequantized(dtype: str, zero: str) -> str:
    """A DequantizeLinear of an input of this dtype with this zero point."""
    return graph(
        f"{dtype}[batch] x", "float[batch] y", "y = DequantizeLinear(x, scale, zero)", f"float scale = {{0.5}}, {zero}"
    )


LAYER = graph(
    "float[batch,4] x",
    "float[batch,5] y",
    "q = QuantizeLinear(x, xs, xz) d = DequantizeLinear(q, xs, xz) e = DequantizeLinear<axis=1>(w, ws, wz)"
    " f = DequantizeLinear<axis=0>(b, bs) y = Gemm(d, e, f)",
)


def layer(data: type = np.int8, zero: int = 0, bias: int = 3, ratio: float = 1.0, **changed: Any) -> dict[str, Any]:
    """The weights of `LAYER`, each channel quantized by itself."""
    scales = np.linspace(0.1, 0.5, 5, dtype=np.float32)
    arrays = {
        "xs": np.float32(0.5),
        "xz": data(0),
        "w": np.arange(-100, 100, 10, dtype=np.int8).reshape(4, 5),
        "ws": scales,
        "wz": np.full(5, zero, np.int8),
        "b": np.full(5, bias, np.int32),
        "bs": scales * np.float32(0.5 * ratio),
    }
    return {"weights": {**arrays, **changed}}


LINEAR = graph(
    "int8[batch,4] x",
    "int8[batch,5] y",
    "y = QLinearMatMul(x, xs, xz, w, ws, wz, ys, yz)",
    "float xs = {0.5}, int8 xz = {0}, float ws = {0.5}, int8 wz = {0}, int8 yz = {0}",
)


def linear(scale: float) -> dict[str, Any]:
    return {"weights": {"w": np.ones((4, 5), np.int8), "ys": np.float32(scale)}}


CASES = [
    Case("QT001", quantized("0.5"), quantized("0.0")),
    Case("QT001", quantized("0.5"), quantized("-0.5")),
    Case("QT001", quantized("0.5"), quantized("0.5", "int8[2] zero = {0, 0}")),
    Case("QT001", dequantized("int32", "int32 zero = {0}"), dequantized("int32", "int32 zero = {3}")),
    Case("QT001", dequantized("uint8", "uint8 zero = {3}"), dequantized("uint8", "int8 zero = {3}")),
    Case("QT002", LAYER, LAYER.replace("axis=1", "axis=0"), layer()),
    Case("QT002", LAYER, LAYER.replace("axis=1", "axis=2"), layer()),
    Case("QT003", LAYER, LAYER, layer(ratio=2), layer()),
    Case("QT004", LAYER, LAYER, layer(bias=LIMIT), layer()),
    Case("QT005", LAYER, LAYER, layer(np.uint8), layer()),
    Case("QT005", LAYER, LAYER, layer(np.uint8), layer(np.uint8, w=np.arange(-40, 40, 4, dtype=np.int8).reshape(4, 5))),
    Case(
        "QT006",
        rows(f"{SOFTMAX} y = Relu(p)", "float s = {0.5}, int8 z = {0}"),
        rows(f"{SOFTMAX} r = QuantizeLinear(p, s, z) y = DequantizeLinear(r, s, z)", "float s = {0.5}, int8 z = {0}"),
    ),
    Case(
        "QT007",
        quantized("0.5"),
        rows(
            "q = QuantizeLinear(x, s, z) d = DequantizeLinear(q, s, z)"
            " r = QuantizeLinear(d, t, z) y = DequantizeLinear(r, t, z)",
            "float s = {0.5}, float t = {0.25}, int8 z = {0}",
        ),
    ),
    Case("QT008", LAYER, LAYER, layer(zero=3), layer()),
    Case("QT009", quantized("0.5"), rows("y = Relu(x)"), {"metadata": PRECISION}),
    Case("QT009", rows("y = Relu(x)"), quantized("0.5"), {"metadata": PRECISION | {"assay.precision": "float32"}}),
    Case(
        "QT010",
        LAYER,
        LAYER,
        layer(
            ws=np.array([1e-9, 0.2, 0.3, 0.4, 0.5], np.float32), bs=np.array([5e-10, 0.1, 0.15, 0.2, 0.25], np.float32)
        ),
        layer(),
    ),
    Case(
        "QT011",
        LAYER,
        graph(
            "float[batch,40] x",
            "float[batch,40] y",
            "q = QuantizeLinear(w, s, z) d = DequantizeLinear(q, s, z) y = MatMul(x, d)",
            "float s = {0.5}, int8 z = {0}",
        ),
        {"weights": {"w": ramp(40, 40)}},
        layer(),
    ),
    Case("QT012", LINEAR, LINEAR, linear(0.0), linear(0.5)),
    Case(
        "QT013",
        quantized("0.5"),
        rows(
            "q = QuantizeLinear(x, s, z) y = DequantizeLinear(q, t, z)",
            "float s = {0.5}, float t = {0.25}, int8 z = {0}",
        ),
    ),
]
