"""Operators on each element alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from tensorflow_cases.case import Case, operator

raw = tf.raw_ops
_UNARY = {
    "": "abs sign square tanh sigmoid exp sin cos tan atan sinh cosh asinh erf erfc negative floor ceil round "
    "is_nan is_inf is_finite expm1 softplus rint",
    "pos": "log sqrt rsqrt reciprocal log1p lgamma digamma reciprocal_no_nan",
    "unit": "asin acos atanh erfinv log_sigmoid",
    "above1": "acosh",
    "prob": "ndtri",
}
_BINARY = {
    "": "add subtract multiply maximum minimum squared_difference floordiv floormod less less_equal greater "
    "greater_equal equal not_equal divide_no_nan multiply_no_nan truediv atan2 xdivy",
    "pos": "pow xlogy xlog1py divide",
}
_NN = "relu relu6 elu selu leaky_relu softplus softsign silu gelu crelu"
_INTEGER_BINARY = "add subtract multiply maximum minimum less equal not_equal greater_equal"


def cases() -> Iterator[Case]:
    """All of this family."""
    yield from _floats()
    yield from _integers()
    yield from _edges()
    yield from _rest()
    yield from _cast()


def _floats() -> Iterator[Case]:
    for values, names in _UNARY.items():
        for name in names.split():
            yield operator(f"tf.math.{name}", getattr(tf.math, name), f"f4[a,3]:{values}".removesuffix(":"))
    for values, names in _BINARY.items():
        for name in names.split():
            tail = f":{values}" if values else ""
            yield operator(f"tf.math.{name}", getattr(tf.math, name), f"f4[a,1,3]{tail} f4[b,1]{tail}")
    for name in _NN.split():
        yield operator(f"tf.nn.{name}", getattr(tf.nn, name), "f4[a,3]")
    yield operator("tf.nn.gelu tanh", lambda x: tf.nn.gelu(x, approximate=True), "f4[a,3]")
    for name in ("tanh", "exp", "floor", "round", "sin", "sigmoid", "square", "abs"):
        yield operator(f"tf.math.{name} float64", getattr(tf.math, name), "f8[a,3]")
        yield operator(f"tf.math.{name} float16", getattr(tf.math, name), "f2[a,3]")
    for name, function in (("tanh", tf.tanh), ("add", lambda x: x + x), ("relu", tf.nn.relu), ("erf", tf.math.erf)):
        yield operator(f"{name} bfloat16", _in_bfloat16(function), "f4[a,3]", "bfloat16")


def _in_bfloat16(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: tf.cast(function(tf.cast(x, tf.bfloat16)), tf.float32)


def _integers() -> Iterator[Case]:
    yield from _integer_arithmetic()
    yield from _bits()
    yield operator("tf.math.pow ints", tf.math.pow, "i4[a,3] i4[3]:small")
    yield operator("tf.math.pow int constant", lambda x: tf.math.pow(x, 3), "i8[a,3]:wide")
    yield operator("tf.math.abs i4", tf.math.abs, "i4[a,3]")
    yield operator("tf.math.sign i4", tf.math.sign, "i4[a,3]")
    yield operator("tf.math.negative i2", tf.math.negative, "i2[a,3]")
    yield operator("tf.math.round i4", tf.math.round, "i4[a,3]")
    yield operator("tf.math.add_n i4", lambda x, y: tf.math.add_n([x, y, x]), "i4[a,3] i4[a,3]")


def _integer_arithmetic() -> Iterator[Case]:
    for dtype in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"):
        for name in _INTEGER_BINARY.split():
            if dtype in ("i1", "u2", "u4", "u8") and name not in ("add", "multiply", "equal", "maximum"):
                continue
            yield operator(f"tf.math.{name} {dtype}", getattr(tf.math, name), f"{dtype}[a,3]:wide {dtype}[3]:wide")
    for dtype in ("i1", "i4", "i8", "u1"):
        for name in ("floordiv", "floormod"):
            yield operator(
                f"tf.math.{name} {dtype}",
                lambda x, y, n=name: getattr(tf.math, n)(x, tf.where(y == 0, tf.ones_like(y), y)),
                f"{dtype}[a,3]:wide {dtype}[a,3]",
            )
    for dtype in ("i4", "i8", "i2"):
        for name in ("TruncateDiv", "TruncateMod", "Mod", "Div"):
            if dtype == "i2" and name in ("TruncateMod", "Mod"):
                continue
            yield operator(
                f"raw.{name} {dtype}",
                lambda x, y, n=name: getattr(raw, n)(x=x, y=tf.where(y == 0, tf.ones_like(y), y)),
                f"{dtype}[a,3]:wide {dtype}[a,3]",
            )


def _bits() -> Iterator[Case]:
    for name in ("bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift"):
        for dtype in ("i4", "u1", "i8"):
            kind = ":small" if "shift" in name else ""
            yield operator(
                f"tf.bitwise.{name} {dtype}", getattr(tf.bitwise, name), f"{dtype}[a,3]:wide {dtype}[3]{kind}"
            )
    yield operator("tf.bitwise.right_shift beyond the width", tf.bitwise.right_shift, "i4[a,3]:wide i4[3]:wide")
    yield operator("tf.bitwise.invert", tf.bitwise.invert, "i4[a,3]:wide")
    yield operator("tf.bitwise.invert u1", tf.bitwise.invert, "u1[a,3]:wide")
    yield operator("raw.PopulationCount", lambda x: raw.PopulationCount(x=x), "i4[a,3]:wide")


def _edges() -> Iterator[Case]:
    for name in [
        "abs",
        "sign",
        "square",
        "tanh",
        "sigmoid",
        "exp",
        "floor",
        "ceil",
        "round",
        "is_nan",
        "is_inf",
        "is_finite",
        "expm1",
        "log1p",
        "sqrt",
        "erf",
        "lgamma",
    ]:
        yield operator(f"tf.math.{name} edges", getattr(tf.math, name), "f4[a,40]:edge")
    for name in [
        "maximum",
        "minimum",
        "less",
        "equal",
        "not_equal",
        "greater_equal",
        "divide_no_nan",
        "multiply_no_nan",
        "xdivy",
        "xlogy",
        "atan2",
        "floormod",
    ]:
        yield operator(f"tf.math.{name} edges", getattr(tf.math, name), "f4[a,40]:edge f4[a,40]:edge")
    yield operator("tf.nn.relu edges", tf.nn.relu, "f4[a,40]:edge")
    yield operator("tf.nn.relu6 edges", tf.nn.relu6, "f4[a,40]:edge")
    yield operator("tf.math.floordiv negative floats", tf.math.floordiv, "f4[a,9] f4[a,9]:nonzero")
    yield operator("tf.math.floormod negative floats", tf.math.floormod, "f4[a,9] f4[a,9]:nonzero")
    yield operator("tf.math.log1p small", lambda x: tf.math.log1p(x * 1e-6), "f4[a,9]")
    yield operator("tf.math.expm1 small", lambda x: tf.math.expm1(x * 1e-6), "f4[a,9]")
    yield operator("tf.math.softplus large", tf.math.softplus, "f4[a,9]:large")
    yield operator("tf.math.lgamma negative", tf.math.lgamma, "f4[a,9]")
    yield operator("tf.math.digamma negative", tf.math.digamma, "f4[a,9]")
    yield operator("tf.math.round halves", tf.math.round, "f4[a,9]:ties")


def _rest() -> Iterator[Case]:
    yield operator("tf.clip_by_value", lambda x: tf.clip_by_value(x, -0.5, 0.5), "f4[a,3]")
    yield operator("tf.clip_by_value tensors", tf.clip_by_value, "f4[a,3] f4[a,3] f4[a,3]:pos")
    yield operator(
        "raw.ClipByValue", lambda x, y: raw.ClipByValue(t=x, clip_value_min=-1, clip_value_max=y), "i4[a,3] i4[]:pos"
    )
    yield operator("tf.clip_by_norm", lambda x: tf.clip_by_norm(x, 1.0), "f4[a,3]")
    yield operator("tf.where", tf.where, "b1[a,3] f4[a,3] f4[3]")
    yield operator("tf.where i2", tf.where, "b1[a,3] i2[a,3] i2[3]")
    yield operator("tf.where bool", tf.where, "b1[a,3] b1[a,3] b1[3]")
    yield operator("tf.compat.v1.where rows", tf.compat.v1.where, "b1[a] f4[a,3] f4[a,3]")
    yield operator("tf.math.logical_and", tf.logical_and, "b1[a,3] b1[3]")
    yield operator("tf.math.logical_or", tf.logical_or, "b1[a,3] b1[3]")
    yield operator("tf.math.logical_xor", tf.math.logical_xor, "b1[a,3] b1[3]")
    yield operator("tf.math.logical_not", tf.logical_not, "b1[a,3]")
    yield operator(
        "raw.ApproximateEqual", lambda x, y: raw.ApproximateEqual(x=x, y=y, tolerance=0.5), "f4[a,3] f4[a,3]"
    )
    yield operator("tf.math.add_n", lambda x, y: tf.math.add_n([x, y, x]), "f4[a,3] f4[a,3]")
    yield operator("tf.math.accumulate_n", lambda x, y: tf.math.accumulate_n([x, y]), "f4[a,3] f4[a,3]")
    yield operator("tf.math.polyval", lambda x: tf.math.polyval([1.0, 2.0, 3.0], x), "f4[a,3]")
    yield operator("tf.math.nextafter", tf.math.nextafter, "f8[a,3] f8[a,3]")
    yield operator("tf.math.bessel_i0e", tf.math.bessel_i0e, "f4[a,3]")
    yield operator("tf.math.igamma", tf.math.igamma, "f4[a,3]:pos f4[a,3]:pos")
    yield operator("tf.math.zeta", tf.math.zeta, "f4[a,3]:above1 f4[a,3]:pos")


def _cast() -> Iterator[Case]:
    for source, target in (
        ("f4", "int32"),
        ("f4", "bool"),
        ("f4", "float16"),
        ("f4", "float64"),
        ("i4", "float32"),
        ("i4", "uint8"),
        ("i8", "int32"),
        ("b1", "float32"),
        ("b1", "int8"),
        ("u1", "float32"),
    ):
        yield operator(f"tf.cast {source} to {target}", lambda x, t=target: tf.cast(x, t), f"{source}[a,3]")
    yield operator("tf.cast by bfloat16", lambda x: tf.cast(tf.cast(x, tf.bfloat16), tf.float32), "f4[a,3]")
    yield operator("tf.saturate_cast", lambda x: tf.saturate_cast(x, tf.uint8), "f4[a,3]:large")
    yield operator("tf.bitcast i4 to u4", lambda x: tf.bitcast(x, tf.uint32), "i4[a,3]")
    yield operator("tf.bitcast f4 to i4", lambda x: tf.bitcast(x, tf.int32), "f4[a,3]")
    yield operator(
        "tf.quantization.fake_quant_with_min_max_args", tf.quantization.fake_quant_with_min_max_args, "f4[a,9]:large"
    )
    yield operator(
        "tf.quantization.fake_quant_with_min_max_vars",
        lambda x, low, high: tf.quantization.fake_quant_with_min_max_vars(x, low - 4.5, high),
        "f4[a,9]:large f4[]:pos f4[]:pos",
    )
    yield operator(
        "tf.quantization.fake_quant narrow",
        lambda x: tf.quantization.fake_quant_with_min_max_vars(x, -1.3, 2.7, num_bits=4, narrow_range=True),
        "f4[a,9]",
    )
    yield operator(
        "tf.quantization.fake_quant_per_channel",
        lambda x: tf.quantization.fake_quant_with_min_max_vars_per_channel(x, [-1.0, -2.0, 0.0], [1.0, 3.0, 4.0]),
        "f4[a,b,3]",
    )
