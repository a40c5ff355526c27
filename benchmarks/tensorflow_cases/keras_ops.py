"""Functions of ``keras.ops``: each with inputs that it is meant for, and many in several forms."""

from __future__ import annotations

from collections.abc import Iterator

from keras import ops

from tensorflow_cases import keras_ops_shapes, keras_ops_spatial
from tensorflow_cases.case import Case, operator
from tensorflow_cases.keras_call import of

_UNARY = {
    "": "abs absolute arcsinh arctan ceil cos cosh deg2rad erf erfc exp exp2 expm1 floor isfinite isinf isnan isneginf "
    "isposinf negative rad2deg round sign signbit sin sinc sinh square tan tanh trunc celu elu gelu hard_shrink "
    "hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu log_sigmoid log_softmax relu relu6 selu sigmoid silu "
    "soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid sparsemax squareplus swish tanh_shrink fabs "
    "nan_to_num i0 cbrt logical_not real imag conj conjugate angle isreal",
    "pos": "log log10 log1p log2 sqrt rsqrt reciprocal",
    "unit": "arccos arcsin arctanh erfinv",
    "above1": "arccosh",
}
_BINARY = {
    "": "add subtract multiply maximum minimum equal not_equal less less_equal greater greater_equal arctan2 "
    "logaddexp logaddexp2 logical_and logical_or logical_xor heaviside hypot isclose divide_no_nan fmax fmin",
    "nonzero": "divide true_divide floor_divide mod fmod",
    "pos": "power",
}
_INTEGER = "bitwise_and bitwise_or bitwise_xor gcd lcm floor_divide mod add subtract multiply maximum minimum power"
_REDUCING = "all any amax amin max min mean median prod std sum var logsumexp count_nonzero argmax argmin ptp"
_NAN = "nansum nanmean nanmax nanmin nanprod nanstd nanvar nanmedian nanargmax nanargmin nancumsum nancumprod"
_WINDOWS = "bartlett blackman hamming hanning"


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _unary()
    yield from _binary()
    yield from _reductions()
    yield from _losses()
    yield from keras_ops_shapes.cases()
    yield from keras_ops_spatial.cases()


def _unary() -> Iterator[Case]:
    for values, names in _UNARY.items():
        kind = f":{values}" if values else ""
        for name in names.split():
            yield of(name, f"f4[a,3]{kind}")
    for name in (
        "abs",
        "negative",
        "sign",
        "square",
        "exp",
        "sqrt",
        "sigmoid",
        "relu",
        "logical_not",
        "isnan",
        "floor",
    ):
        yield of(name, "i4[a,3]:pos")
    for name in ("bitwise_invert", "bitwise_not"):
        yield of(name, "i4[a,3]:wide")
    for name in ("round", "sign", "isnan", "relu", "floor", "nan_to_num", "isfinite", "signbit"):
        yield of(name, "f4[a,40]:edge")
    yield of("round", "f4[a,3]", decimals=2)
    yield of("clip", "f4[a,3]", x_min=-0.5, x_max=0.7)
    yield of("threshold", "f4[a,3]", threshold=0.1, default_value=-1.0)
    yield of("glu", "f4[a,4]")
    yield of("gelu", "f4[a,3]", approximate=False)
    yield of("softmax", "f4[a,b,3]", axis=1)
    yield of("softmax", "f4[a,b,3]", axis=(1, 2))
    yield of("log_softmax", "f4[a,b,3]", axis=1)
    yield of("ldexp", "f4[a,3] i4[a,3]:small")
    yield of("cast", "f4[a,3]", dtype="int32")
    yield of("saturate_cast", "f4[a,3]:large", dtype="int8")
    yield of("nextafter", "f4[a,3] f4[a,3]")
    yield of("stop_gradient", "f4[a,3]")


def _binary() -> Iterator[Case]:
    for values, names in _BINARY.items():
        kind = f":{values}" if values else ""
        for name in names.split():
            yield of(name, f"f4[a,3]{kind} f4[3]{kind}")
    for name in _INTEGER.split():
        yield of(name, "i4[a,3]:pos i4[3]:pos")
    for name in ("bitwise_left_shift", "bitwise_right_shift", "left_shift", "right_shift"):
        yield of(name, "i4[a,3]:wide i4[3]:small")
    for name in ("floor_divide", "mod", "maximum", "less"):
        yield of(name, "i4[a,3] i4[3]:pos")
    for name in ("maximum", "minimum", "fmax", "fmin", "equal", "less"):
        yield of(name, "f4[a,40]:edge f4[a,40]:edge")
    yield of("where", "b1[a,3] f4[a,3] f4[3]")
    yield of("isin", "i4[a,3]:small i4[3]:small")
    yield of("allclose", "f4[a,3] f4[a,3]")


def _reductions() -> Iterator[Case]:
    for name in _REDUCING.split():
        kind = "b1[a,b,3]" if name in ("all", "any") else "f4[a,b,3]"
        yield of(name, kind, axis=-1)
        yield of(name, kind, axis=1)
    for name in ("sum", "mean", "max", "std", "logsumexp", "median", "prod"):
        yield of(name, "f4[a,b,3]")
        yield of(name, "f4[a,b,3]", axis=(0, 2), keepdims=True)
    for name in _NAN.split():
        yield of(name, "f4[a,b,3]:missing", axis=-1)
    weighted = lambda x, w: ops.average(x, axis=-1, weights=w)  # noqa: E731
    yield operator("keras.ops.average(weights)", weighted, "f4[a,3] f4[3]:pos")
    for name in ("cumsum", "cumprod"):
        yield of(name, "f4[a,b,3]", axis=1)
    yield of("norm", "f4[a,3]", axis=-1)
    yield of("norm", "f4[a,3]", axis=-1, ord=1)
    yield of("norm", "f4[a,3,4]", axis=(1, 2), ord="fro")
    yield of("normalize", "f4[a,3]", axis=-1)
    yield of("moments", "f4[a,b,3]", axes=[0, 1])
    yield of("quantile", "f4[a,5]", q=0.3, axis=-1)
    yield of("percentile", "f4[a,5]", q=30, axis=-1)
    yield of("trapezoid", "f4[a,5]")
    yield of("diff", "f4[a,5]")
    yield of("corrcoef", "f4[3,6]")
    yield of("correlate", "f4[7] f4[3]", mode="valid")
    yield of("bincount", "i4[7]:small", minlength=6)
    yield of("histogram", "f4[7]", told="bins=4, range=(-2, 2)", bins=4, range=(-2, 2))
    yield of("digitize", "f4[a,3]", bins=[-1.0, 0.0, 1.0])
    yield of("segment_sum", "f4[7,3] i4[7]:sorted", num_segments=5)
    yield of("segment_max", "f4[7,3] i4[7]:sorted", num_segments=5)
    yield of("in_top_k", "i4[a]:small f4[a,6]", k=2)
    yield of("top_k", "f4[a,6]", k=3)


def _losses() -> Iterator[Case]:
    yield of("binary_crossentropy", "f4[a,3]:prob f4[a,3]:prob")
    yield of("binary_crossentropy", "f4[a,3]:prob f4[a,3]", from_logits=True)
    yield of("categorical_crossentropy", "f4[a,3]:prob f4[a,3]:prob")
    yield of("categorical_crossentropy", "f4[a,3]:prob f4[a,3]", from_logits=True)
    yield of("sparse_categorical_crossentropy", "i4[a]:below3 f4[a,3]:prob")
    yield of("sparse_categorical_crossentropy", "i4[a]:below3 f4[a,3]", from_logits=True)
    yield of("psnr", "f4[a,3]:prob f4[a,3]:prob", max_val=1.0)
    for name in _WINDOWS.split():
        yield operator(f"keras.ops.{name}", lambda x, n=name: x + getattr(ops, n)(5), "f4[a,5]")
    yield operator("keras.ops.kaiser", lambda x: x + ops.kaiser(5, 8.0), "f4[a,5]")
