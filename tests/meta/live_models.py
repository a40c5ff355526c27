"""Models that the installed exporters get wrong; each factory gives the source, each export the model as it comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Live:
    """A source, its inputs, the exporter that gets it wrong, and what the explanation must say."""

    build: Callable[[], Any]
    inputs: dict[str, str]
    exporter: str
    op: str | None
    kinds: frozenset[str]
    words: str
    raw: bool = False


def _module(forward: Callable[..., Any]) -> Callable[[], Any]:
    """A module of one linear layer, so that there is a weight, and of this function."""

    def build() -> Any:
        import torch

        torch.manual_seed(0)
        namespace = {"forward": forward}
        return type("Live", (torch.nn.Module,), namespace)()

    return build


def adaptive_pool() -> Any:
    """Pooling to 3 x 3 of images of any size."""
    from torch.nn import functional

    return _module(lambda self, x: functional.adaptive_avg_pool2d(x, 3))()  # noqa: ARG005


def reshape_by_int() -> Any:
    """A reshape by sizes that were made whole numbers of Python."""
    return _module(lambda self, x: x.reshape(int(x.shape[0]) * int(x.shape[1]), -1) * 2)()  # noqa: ARG005


def branch_by_shape() -> Any:
    """Another path for short inputs."""
    return _module(lambda self, x: x * 2 if x.shape[1] > 4 else x + 1.5)()  # noqa: ARG005


def branch_by_value() -> Any:
    """Another path for inputs of a negative sum."""
    return _module(lambda self, x: x * 2 if x.sum() > 0 else x - 9)()  # noqa: ARG005


def masked_attention() -> Any:
    """Attention with a boolean mask, rows of which mask everything: torch gives zero there."""
    from torch.nn import functional

    return _module(lambda self, q, k, v, mask: functional.scaled_dot_product_attention(q, k, v, attn_mask=mask))()  # noqa: ARG005


def transformer() -> Any:
    """torch's own transformer encoder, on sequences of any length."""
    import torch

    torch.manual_seed(0)
    torch.backends.mha.set_fastpath_enabled(False)  # TorchScript's exporter has no operator for it
    layer = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    return torch.nn.TransformerEncoder(layer, 1, enable_nested_tensor=False).eval()


def floor_division() -> Any:
    """Whole numbers divided and rounded down, negative ones too."""
    return _module(lambda self, x: x // 3)()  # noqa: ARG005


def unused_argument() -> Any:
    """An argument that nothing uses."""
    return _module(lambda self, x, unused: x * 2)()  # noqa: ARG005


def _function(call: Callable[[Any], Any], spec: list[Any], dtype: str = "float32") -> Any:
    import tensorflow as tf

    return tf.function(call, input_signature=[tf.TensorSpec(spec, dtype, name="x")], autograph=False)


def tf_floor_division() -> Any:
    """Whole numbers divided and rounded down, in TensorFlow."""
    import tensorflow as tf

    return _function(lambda x: tf.math.floordiv(x, 3), [None, 4], "int32")


def tf_floor_modulo() -> Any:
    """The remainder that goes with it."""
    import tensorflow as tf

    return _function(lambda x: tf.math.floormod(x, 3), [None, 4], "int32")


def tf_resize(method: str, antialias: bool = False) -> Callable[[], Any]:
    """An image resized by this method."""

    def build() -> Any:
        import tensorflow as tf

        return _function(lambda x: tf.image.resize(x, [4, 5], method=method, antialias=antialias), [None, 8, 10, 3])

    return build


def tf_gelu() -> Any:
    """GELU by erf, which Keras writes with Erfc."""
    import tensorflow as tf

    return _function(lambda x: tf.nn.gelu(x, approximate=False), [None, 4])


def raw_export(live: Live, source: Any, path: Path) -> Path:
    """The model as the exporter writes it, without Assay's passes."""
    if live.exporter == "tf2onnx":
        return _raw_tensorflow(source, path)
    import torch

    names = list(live.inputs)
    arguments = tuple(torch.randn(2, 6) for _ in names)
    torch.onnx.export(source, arguments, str(path), dynamo=False, input_names=names, output_names=["output"])
    return path


def _raw_tensorflow(source: Any, path: Path) -> Path:
    import tf2onnx

    tf2onnx.convert.from_function(source, input_signature=source.input_signature, opset=18, output_path=str(path))
    return path


def _kinds(*names: str) -> frozenset[str]:
    return frozenset(names)


_X = {"x": "float32[batch,time=6]"}
_IMAGE = {"x": "float32[batch,3,height>=6=9,width>=6=9]"}
_MASKED = dict.fromkeys(("q", "k", "v"), "float32[batch,2,4,8]") | {"mask": "bool[batch,1,4,4]"}
_TWO = {"x": "float32[2,6]", "unused": "float32[2,6]"}
_WHOLE = {"x": "int64[batch,4] in -9..9"}
_SMALL = {"x": "int32[batch,4] in -9..9"}
DYNAMO, SCRIPT, TF = "torch.onnx", "torch.onnx.torchscript", "tf2onnx"
UNUSED_ARGUMENT = Live(unused_argument, _TWO, SCRIPT, None, _kinds("missing-input"), "input unused", raw=True)
LIVE: dict[str, Live] = {
    "adaptive pooling": Live(adaptive_pool, _IMAGE, DYNAMO, "AveragePool", _kinds("baked-window"), "kernel_shape"),
    "reshape by int": Live(
        reshape_by_int, {"x": "float32[batch,3,4]"}, SCRIPT, "Reshape", _kinds("baked-target"), "batch is baked to 6"
    ),
    "branch by shape": Live(branch_by_shape, _X, SCRIPT, "Mul", _kinds("export"), "the source's add"),
    "branch by value": Live(branch_by_value, _X, SCRIPT, "Mul", _kinds("export"), "the source's sub"),
    "masked attention": Live(masked_attention, _MASKED, DYNAMO, "Where", _kinds("finite-mask"), "masks by -3.4e+38"),
    "transformer": Live(
        transformer, {"src": "float32[batch,time=6,8]"}, SCRIPT, "Reshape", _kinds("baked-target"), "time is baked to 6"
    ),
    "floor division": Live(
        floor_division, _WHOLE, SCRIPT, "Cast", _kinds("truncated-division"), "floor_divide (live_models.py:"
    ),
    "TensorFlow floordiv": Live(tf_floor_division, _SMALL, TF, "Div", _kinds("truncated-division"), "FloorDiv"),
    "TensorFlow floormod": Live(tf_floor_modulo, _SMALL, TF, "Sub", _kinds("truncated-division"), "FloorMod"),
    "resize by area": Live(tf_resize("area"), {}, TF, "Resize", _kinds("added-node"), "Resize"),
    "bicubic resize": Live(tf_resize("bicubic"), {}, TF, None, _kinds("optimizer"), "without graph optimization"),
    "GELU by Erfc": Live(tf_gelu, {}, TF, "Erfc", _kinds("unknown-operator"), "no operator", raw=True),
    "resize with antialias": Live(
        tf_resize("lanczos3", True), {}, TF, "ScaleAndTranslate", _kinds("unknown-operator"), "no operator", raw=True
    ),
}
