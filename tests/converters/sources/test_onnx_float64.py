"""An ONNX model is rewritten to float64: with the same values, but for rounding, and nothing left behind unsaid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx.helper
import onnxruntime as ort
import pytest
import torch
from onnx import parser
from scipy.special import erf

from assay.converters.sources import Source, open_source
from assay.converters.sources.onnx_float64 import to_float64

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((2, 4, 9, 9)).astype(np.float32)


def model(operator: str, inputs: str = "float[2,4,9,9] x", opset: int = 17) -> onnx.ModelProto:
    header = f'<ir_version: 8, opset_import: ["" : {opset}]>'
    return parser.parse_model(f"{header} g ({inputs}) => (float[a,b,c,d] y) {{ {operator} }}")


def opened(proto: onnx.ModelProto, folder: Path) -> Source:
    onnx.save(proto, folder / "m.onnx")
    return open_source(folder / "m.onnx")


def run(proto: onnx.ModelProto, **feeds: np.ndarray) -> np.ndarray:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    result: np.ndarray = session.run(None, feeds)[0]
    return result


def both(proto: onnx.ModelProto, **feeds: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """What the model gives in float32 and in float64, and what stays in float32."""
    high, kept = to_float64(proto)
    return run(proto, **feeds), run(high, **{name: array.astype(np.float64) for name, array in feeds.items()}), kept


ELEMENTWISE = (
    *("Elu", "Erf", "HardSigmoid", "HardSwish", "LeakyRelu", "Mish", "Selu", "Sigmoid", "Softmax", "Softplus"),
    *("Softsign", "Tanh", "GlobalAveragePool", "GlobalMaxPool"),
)


@pytest.mark.parametrize("opset", [17, 22])
@pytest.mark.parametrize("operator", ELEMENTWISE)
def test_an_operator_of_one_input_is_the_same_in_float64(operator: str, opset: int) -> None:
    if operator == "Mish" and opset < 18:
        pytest.skip("no operator of this opset")
    plain, exact, kept = both(model(f"y = {operator}(x)", opset=opset), x=X * 4)
    assert kept == ()
    assert exact.dtype == np.float64
    np.testing.assert_allclose(plain, exact, rtol=3e-6, atol=1e-6)


def test_erf_is_right_to_float64() -> None:
    x = np.linspace(-7, 7, 2 * 4 * 9 * 9).reshape(2, 4, 9, 9)
    high, _ = to_float64(model("y = Erf(x)"))
    np.testing.assert_allclose(run(high, x=x), erf(x), rtol=0, atol=1e-15)
    assert np.isnan(run(high, x=np.full((2, 4, 9, 9), np.nan))).all()


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_is_right_to_float64(approximate: str) -> None:
    _, exact, kept = both(model(f'y = Gelu<approximate="{approximate}">(x)', opset=20), x=X)
    wanted = torch.nn.functional.gelu(torch.from_numpy(X).double(), approximate=approximate).numpy()
    assert kept == ()
    np.testing.assert_allclose(exact, wanted, rtol=0, atol=2e-15)


CONVOLUTIONS = {
    "padded": ((6, 4, 3, 3), {"padding": 1}),
    "strided": ((6, 4, 3, 3), {"stride": 2}),
    "dilated groups": ((6, 2, 3, 3), {"dilation": (2, 1), "groups": 2, "padding": (1, 2)}),
    "depthwise": ((4, 1, 3, 3), {"groups": 4, "padding": 1, "stride": (2, 1)}),
    "depthwise, wider": ((8, 1, 3, 3), {"groups": 4}),
    "of one place, strided": ((5, 4, 1, 1), {"stride": (3, 2)}),
}


@pytest.mark.parametrize(("shape", "settings"), CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_a_convolution_is_written_out(shape: tuple[int, ...], settings: dict[str, object]) -> None:
    weights = RANDOM.standard_normal(shape).astype(np.float32)
    layer = torch.nn.Conv2d(4, shape[0], shape[2:], bias=False, **settings).double()  # type: ignore[arg-type]
    layer.weight.data = torch.from_numpy(weights).double()
    pads, names = list(layer.padding) * 2, ("strides", "dilations", "pads", "group")
    given = zip(names, (list(layer.stride), list(layer.dilation), pads, layer.groups), strict=True)
    attributes = ", ".join(f"{name} = {value}" for name, value in given)
    inputs = f"float[2,4,9,9] x, float[{','.join(map(str, shape))}] w"
    _, exact, kept = both(model(f"y = Conv<{attributes}>(x, w)", inputs), x=X, w=weights)
    assert kept == ()
    np.testing.assert_allclose(exact, layer(torch.from_numpy(X).double()).detach().numpy(), rtol=0, atol=1e-13)


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER", "VALID"])
def test_automatic_padding_is_written_out(auto_pad: str) -> None:
    weights = RANDOM.standard_normal((6, 4, 2, 3)).astype(np.float32)
    text = f'y = Conv<auto_pad="{auto_pad}">(x, w)'
    plain, exact, kept = both(model(text, "float[2,4,9,9] x, float[6,4,2,3] w"), x=X, w=weights)
    assert kept == ()
    np.testing.assert_allclose(plain, exact, rtol=0, atol=1e-5)


@pytest.mark.parametrize("settings", ["", ", count_include_pad = 1"])
def test_average_pooling_is_written_out(settings: str) -> None:
    plain, exact, kept = both(
        model(f"y = AveragePool<kernel_shape=[3,3], pads=[1,1,1,1], strides=[2,1]{settings}>(x)"), x=X
    )
    assert kept == ()
    np.testing.assert_allclose(plain, exact, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "inputs", "feeds"),
    [
        ("y = PRelu(x, w)", "float[2,4,9,9] x, float[4,1,1] w", (4, 1, 1)),
        ("y = InstanceNormalization(x, w, w)", "float[2,4,9,9] x, float[4] w", (4,)),
        ("y = LayerNormalization(x, w)", "float[2,4,9,9] x, float[9] w", (9,)),
        ("y = BatchNormalization(x, w, w, w, v) v = Abs(w)", "float[2,4,9,9] x, float[4] w", (4,)),
        ("z = Exp(x) y = Mean(x, w, z)", "float[2,4,9,9] x, float[9] w", (9,)),
    ],
)
def test_an_operator_of_several_inputs_is_the_same_in_float64(text: str, inputs: str, feeds: tuple[int, ...]) -> None:
    if text.startswith("y = Batch"):
        text = "v = Abs(w) y = BatchNormalization(x, w, w, w, v)"
    plain, exact, kept = both(model(text, inputs), x=X, w=RANDOM.standard_normal(feeds).astype(np.float32))
    assert kept == ()
    np.testing.assert_allclose(plain, exact, rtol=1e-5, atol=1e-5)


def test_what_has_no_kernel_and_no_expansion_stays_and_is_named() -> None:
    text = 's = Constant<value_floats=[1.0,1.0,2.0,2.0]>() z = Exp(x) r = Resize<mode="linear">(z,,s) y = Log(r)'
    plain, exact, kept = both(model(text), x=X)
    assert kept == ("Resize",)
    np.testing.assert_allclose(plain, exact, rtol=1e-5, atol=1e-5)


def test_two_that_stay_meet_without_a_cast_between_them_lost() -> None:
    text = "s = Constant<value_floats=[1.0,1.0,2.0,2.0]>() r = Resize(x,,s) t = Resize(r,,s) y = Add(t, t)"
    plain, exact, kept = both(model(text), x=X)
    assert kept == ("Resize",)
    np.testing.assert_array_equal(plain, exact)


def test_branches_casts_and_constants_are_rewritten() -> None:
    text = """total = ReduceSum<keepdims=0>(x) zero = Constant<value_float=0.1>() on = Greater(total, zero)
    y = If(on) <then_branch = a () => (float[2,4,9,9] p) { i = Cast<to=6>(x) f = Cast<to=1>(i) p = Erf(f) },
                else_branch = b () => (float[2,4,9,9] q) { q = Mul(x, zero) }>"""
    for sign in (1.0, -1.0):
        x = (sign * np.abs(X) * 3).astype(np.float32)
        plain, exact, kept = both(model(text), x=x)
        assert kept == ()
        assert exact.dtype == np.float64
        np.testing.assert_allclose(plain, exact, rtol=1e-6, atol=1e-7)


def test_functions_are_written_out() -> None:
    text = """<ir_version: 9, opset_import: ["" : 17, "own" : 1]>
    g (float[2,4,9,9] x) => (float[2,4,9,9] y) { y = own.twice(x) }
    <domain: "own", opset_import: ["" : 17]> twice (a) => (b) { c = Erf(a) b = Add(c, c) }"""
    plain, exact, kept = both(parser.parse_model(text), x=X)
    assert kept == ()
    np.testing.assert_allclose(plain, exact, rtol=1e-6, atol=1e-6)


def test_half_weights_are_exact_in_the_twin(tmp_path: Path) -> None:
    weights = RANDOM.standard_normal(9).astype(np.float16)
    proto = parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float16[2,4,9,9] x) => (float16[2,4,9,9] y) { y = Mul(x, w) }'
    )
    proto.graph.initializer.append(onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT16, [9], weights))
    source = opened(proto, tmp_path)
    twin, feeds = source.exact(), {"x": X.astype(np.float16)}
    assert twin is not None
    np.testing.assert_array_equal(twin.run(feeds)["y"], feeds["x"].astype(np.float64) * weights.astype(np.float64))
    moved = source.perturbed(0)
    assert moved is not None
    assert (moved.run(feeds)["y"] != source.run(feeds)["y"]).mean() > 0.5


def test_a_recurrent_network_is_float64_but_for_its_cells(tmp_path: Path) -> None:
    text = """<ir_version: 8, opset_import: ["" : 17]> g (float[5,2,3] x, float[1,8,3] w, float[1,8,2] r)
    => (float[a,b,c,d] y) { h, last = LSTM<hidden_size=2>(x, w, r) y = Exp(h) }"""
    source = opened(parser.parse_model(text), tmp_path)
    twin = source.exact()
    assert twin is not None
    assert list(twin.kept) == ["LSTM"]
    shapes = {"x": (5, 2, 3), "w": (1, 8, 3), "r": (1, 8, 2)}
    feeds = {name: RANDOM.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    np.testing.assert_allclose(twin.run(feeds)["y"], source.run(feeds)["y"], rtol=1e-6)


def test_exponents_and_scales_are_no_weights(tmp_path: Path) -> None:
    proto = model("z = Mul(x, w) p = Pow(z, two) y = Resize(p,,s)")
    for name, values in (("w", [1.0] * 9), ("two", [2.0]), ("s", [1.0, 1.0, 2.0, 2.0])):
        proto.graph.initializer.append(onnx.helper.make_tensor(name, onnx.TensorProto.FLOAT, [len(values)], values))
    source = opened(proto, tmp_path)
    for twin in (source.perturbed(0), source.shaken(0), source.wavering(0)):
        assert twin is not None
        np.testing.assert_allclose(twin.run({"x": X})["y"], source.run({"x": X})["y"], rtol=1e-5)
        assert (twin.run({"x": X})["y"] != source.run({"x": X})["y"]).any()


def test_ties_are_broken_otherwise_by_some_wavering_twin(tmp_path: Path) -> None:
    text = "g (float[2,4] x) => (int64[2] y) { z = Relu(x) y = ArgMax<axis=1, keepdims=0>(z) }"
    source = opened(parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> {text}'), tmp_path)
    feeds = {"x": np.array([[-1, -1, -1, -1], [0, 0, 9, 0]], np.float32)}
    twins = [source.wavering(seed) for seed in range(8)]
    picks = np.array([twin.run(feeds)["y"] for twin in twins if twin is not None])
    assert len(set(picks[:, 0])) > 1
    assert set(picks[:, 1]) == {2}


@pytest.mark.parametrize(
    ("text", "opset"),
    [
        ("y = GlobalAveragePool(x)", 17),
        ("y = ReduceMean<axes=[1, -1]>(x)", 17),
        ("a = Constant<value_ints=[0, 2]>() y = ReduceSum(x, a)", 17),
        ("a = Constant<value_ints=[2, 3]>() z = ReduceMean<keepdims=0>(x, a) u = Constant<value_ints=[2, 3]>() "
         "y = Unsqueeze(z, u)", 18),
    ],
)  # fmt: skip
def test_some_shaken_twin_adds_up_sums_one_by_one(text: str, opset: int, tmp_path: Path) -> None:
    source = opened(model(text, "float[2,4,64,64] x", opset), tmp_path)
    flat = {"x": np.full((2, 4, 64, 64), 0.3, np.float32)}
    moves = []
    for seed in range(2):
        twin = source.shaken(seed)
        assert twin is not None
        got, wanted = twin.run(flat)["y"], source.run(flat)["y"]
        assert got.shape == wanted.shape
        moves.append(np.abs(got / wanted - 1).max())
    assert moves[0] < 3e-7
    assert moves[1] < 1e-3
    assert moves[1] > 3e-7 or "0, 2" in text or "1, -1" in text  # hundreds of numbers drift by less than thousands
