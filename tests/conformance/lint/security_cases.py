"""Models that keep and break the rules of security, and of the limits of targets that text can say."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import onnx
from lint_models import Case, graph, ramp, rows
from onnx import TensorProto

RELU = rows("y = Relu(x)")
WEIGHT = ramp(20, 20)
DENSE = graph("float[batch,20] x", "float[batch,20] y", "y = MatMul(x, w)")
TWO = graph("float[batch,20] x", "float[batch,20] y", "h = MatMul(x, w) y = MatMul(h, v)")
FILE = {"data.bin": WEIGHT.tobytes() + (WEIGHT + 1).tobytes(), "other.bin": (WEIGHT + 1).tobytes()}


def external(name: str, location: str, offset: int = 0, **more: str) -> TensorProto:
    """A weight of `WEIGHT`'s shape that lies in a file."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=WEIGHT.shape, data_location=TensorProto.EXTERNAL)
    entries = {"location": location, "offset": str(offset), "length": str(WEIGHT.nbytes), **more}
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


def stored(*tensors: TensorProto) -> dict[str, object]:
    """The options of a model with these external weights."""
    return {"files": FILE, "edit": lambda model: model.graph.initializer.extend(tensors)}


def short_weight(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(
        TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[20, 20], raw_data=b"\0" * 4)
    )


def whole_weight(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(onnx.numpy_helper.from_array(WEIGHT, "w"))


def named(name: str) -> Callable[[onnx.ModelProto], None]:
    """Give the node this name."""

    def edit(model: onnx.ModelProto) -> None:
        model.graph.node[0].name = name

    return edit


def nested(depth: int) -> str:
    """An If in an If, and so on."""
    inner = "p = Relu(x)"
    for level in range(depth):
        other = f"else_branch = b{level} () => (float[batch,3] o{level}) {{ o{level} = Relu(x) }}"
        given = f"p{level - 1}" if level else "p"
        first = f"then_branch = a{level} () => (float[batch,3] {given}) {{ {inner} }}"
        inner = f"p{level} = If(c)<{first}, {other}>"
    return graph("float[batch,3] x, bool c", "float[batch,3] y", f"{inner} y = Relu(p{depth - 1})")


SHA1 = hashlib.sha1(FILE["data.bin"]).hexdigest()

CASES = [
    Case("SE001", DENSE, DENSE, stored(external("w", "../data.bin")), stored(external("w", "data.bin"))),
    Case("SE002", DENSE, DENSE, {"edit": short_weight}, {"edit": whole_weight}),
    Case(
        "SE003",
        TWO,
        TWO,
        stored(external("w", "data.bin"), external("v", "data.bin", 800)),
        stored(external("w", "data.bin"), external("v", "data.bin", 1600)),
    ),
    Case(
        "SE005",
        DENSE,
        DENSE,
        stored(external("w", "data.bin", checksum="0" * 40)),
        stored(external("w", "data.bin", checksum=SHA1)),
    ),
    Case("SE006", RELU, RELU, {"edit": named("re\u202elu")}, {"edit": named("relu")}),
    Case("SE007", RELU, RELU, {"edit": named("x" * 2000)}, {"edit": named("relu")}),
    Case("SE008", nested(3), nested(17)),
    Case("SE009", RELU, rows("y = com.microsoft.EPContext(x)"), {"imports": ', "com.microsoft": 1'}, {"imports": ""}),
    Case(
        "SE010",
        graph(
            "float[batch,3] x",
            "float[1,4] y",
            "t = Constant<value_ints=[1, 4]>() c = ConstantOfShape(t) m = ReduceMean(x) y = Add(c, m)",
        ),
        graph(
            "float[batch,3] x",
            "float[1099511627776,4] y",
            "t = Constant<value_ints=[1099511627776, 4]>() c = ConstantOfShape(t) m = ReduceMean(x) y = Add(c, m)",
        ),
    ),
    Case(
        "SE012",
        TWO,
        TWO,
        stored(external("w", "data.bin"), external("v", "other.bin")),
        stored(external("w", "data.bin"), external("v", "data.bin", 1600)),
    ),
]
