"""Models that keep and break the rules of weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from lint_models import Case, graph, ramp, rows

DENSE = graph("float[batch,20] x", "float[batch,20] y", "y = MatMul(x, w)")
TWO = graph("float[batch,20] x", "float[batch,30] y", "h = MatMul(x, a) r = MatMul(h, b) y = MatMul(r, a)")
PICTURE = "float[batch,3,8,8] x"
CONV = graph(PICTURE, "float[batch,40,6,6] y", "y = Conv<kernel_shape=[3, 3]>(x, w, b)")
NORM = graph(PICTURE, "float[batch,3,8,8] y", "y = BatchNormalization(x, scale, shift, mean, variance)")
LARGE = rng = np.random.default_rng(0).normal(size=(40, 40)).astype(np.float32)


def weights(**arrays: Any) -> dict[str, Any]:
    """The option of these initializers."""
    return {"weights": arrays}


def conv(channels: int = 3, bias: int = 40, dead: int = 0) -> dict[str, Any]:
    """The weights of `CONV`."""
    kernel = ramp(40, channels, 3, 3)
    kernel[:dead] = 0
    return weights(w=kernel, b=ramp(bias))


def statistics(mean: float = 0.5, variance: float = 2.0) -> dict[str, Any]:
    """The weights of `NORM`."""
    return weights(
        scale=ramp(3), shift=ramp(3), mean=np.full(3, mean, np.float32), variance=np.full(3, variance, np.float32)
    )


def dense(operator: str, shape: str, **arrays: Any) -> tuple[str, dict[str, Any]]:
    return graph(f"float[{shape}] x", "float[batch,n] y", operator), weights(**arrays)


RECURRENT = graph("float[time,batch,3] x", "float[time,1,batch,2] y", "y = GRU<hidden_size=2>(x, w, r, b)")


def large_constant(size: int) -> str:
    """A constant of so many numbers inside a node."""
    values = ", ".join(f"{i}.5" for i in range(size))
    return graph(
        f"float[batch,{size}] x",
        f"float[batch,{size}] y",
        f"c = Constant<value = float[{size}] {{{values}}}>() y = Add(x, c)",
    )


CASES = [
    Case(
        "WT001",
        DENSE,
        DENSE,
        weights(w=np.where(ramp(20, 20) > 50, np.nan, 1).astype(np.float32)),
        weights(w=ramp(20, 20)),
    ),
    Case(
        "WT002",
        TWO.replace("30", "20"),
        TWO.replace("30", "20"),
        weights(a=ramp(20, 20), b=ramp(20, 20)),
        weights(a=ramp(20, 20), b=-ramp(20, 20)),
    ),
    Case("WT003", DENSE, DENSE, weights(w=ramp(20, 20) * np.float32(1e-40)), weights(w=ramp(20, 20))),
    Case("WT004", DENSE, DENSE, weights(w=np.zeros((20, 20), np.float32)), weights(w=ramp(20, 20))),
    Case("WT005", CONV, CONV, conv(dead=3), conv()),
    Case("WT006", TWO, TWO, weights(a=ramp(20, 30), b=ramp(20, 30).T.copy()), weights(a=ramp(20, 30), b=-ramp(30, 20))),
    Case(
        "WT007",
        rows("y = Mul(x, k)", "float k = {2}"),
        rows("y = Mul(x, k)"),
        weights(k=np.float32(-np.inf)),
        weights(),
    ),
    Case("WT008", CONV, CONV, conv(bias=39), conv()),
    Case("WT008", CONV, CONV, conv(channels=4), conv()),
    Case("WT008", NORM, NORM, weights(scale=ramp(4), shift=ramp(3), mean=ramp(3), variance=ramp(3)), statistics()),
    Case("WT008", DENSE, graph("float[batch,21] x", "float[batch,20] y", "y = MatMul(x, w)"), weights(w=ramp(20, 20))),
    Case(
        "WT008",
        graph("float[batch,4] x", "float[batch,5] y", "y = Gemm(x, w, b)"),
        graph("float[batch,4] x", "float[batch,5] y", "y = Gemm(x, w, b)"),
        weights(w=ramp(4, 5), b=ramp(6)),
        weights(w=ramp(4, 5), b=ramp(5)),
    ),
    Case(
        "WT008",
        RECURRENT,
        RECURRENT,
        weights(w=ramp(1, 6, 3), r=ramp(1, 6, 2), b=ramp(1, 6)),
        weights(w=ramp(1, 6, 3), r=ramp(1, 6, 2), b=ramp(1, 12)),
    ),
    Case(
        "WT008",
        graph(PICTURE, "float[batch,2,10,10] y", "y = ConvTranspose<kernel_shape=[3, 3]>(x, w, b)"),
        graph(PICTURE, "float[batch,2,10,10] y", "y = ConvTranspose<kernel_shape=[3, 3]>(x, w, b)"),
        weights(w=ramp(3, 2, 3, 3), b=ramp(3)),
        weights(w=ramp(3, 2, 3, 3), b=ramp(2)),
    ),
    Case("WT009", rows("y = Relu(x)"), rows("y = Relu(x)", "float[3] w = {1, 2, 3}")),
    Case("WT010", large_constant(10), large_constant(20000)),
    Case(
        "WT011",
        graph("float[batch,40] x", "float[batch,40] y", "y = MatMul(x, w)"),
        graph("float[batch,40] x", "float[batch,40] y", "y = MatMul(x, w)"),
        weights(w=LARGE.astype(np.float16).astype(np.float32)),
        weights(w=LARGE),
    ),
    Case(
        "WT011",
        graph("float[batch,40] x", "float[batch,40] y", "y = MatMul(x, w)"),
        graph("float[batch,40] x", "float[batch,40] y", "y = MatMul(x, w)"),
        weights(w=(LARGE.view(np.uint32) & 0xFFFF0000).view(np.float32)),
        weights(w=LARGE),
    ),
    Case("WT012", NORM, NORM, statistics(variance=-1), statistics()),
    Case("WT013", NORM, NORM, statistics(0, 1), statistics()),
    Case(
        "WT014",
        rows("y = Mul(x, k)", "float k = {2}"),
        rows("y = Mul(x, k)", "float k = {1000000}"),
        lint={"level": "accelerated"},
    ),
    Case(
        "WT014",
        rows("y = LayerNormalization<epsilon=0.00001>(x, s)"),
        rows("y = LayerNormalization<epsilon=0.000000000001>(x, s)"),
        weights(s=ramp(3)),
        lint={"level": "accelerated"},
    ),
]
