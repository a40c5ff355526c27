"""Models that keep and break the rules of shapes and dynamic axes."""

from __future__ import annotations

import onnx
from lint_models import Case, graph, ramp, rows

DATA = "float[batch,3,8,8] x"
TEXT = "float[batch,sequence,4] x", "float[batch,sequence,4] y"
PICTURE = "float[batch,3,height,width] x"
RELU = rows("y = Relu(x)")
OPEN = str(2**31 - 1)


def reshape(target: str, declared: str, data: str = DATA) -> str:
    """A Reshape of the data to a constant target."""
    return graph(data, f"float[{declared}] y", f"t = Constant<value_ints=[{target}]>() r = Relu(x) y = Reshape(r, t)")


def resize(arguments: str, declared: str, constant: str, data: str = PICTURE) -> str:
    """A Resize with these arguments after its data."""
    return graph(data, f"float[{declared}] y", f'y = Resize(x, "", {arguments})', constant)


def slice_to(end: str, declared: str = "part") -> str:
    """The beginning of each sequence, up to this end."""
    weights = f"int64[1] start = {{0}}, int64[1] stop = {{{end}}}, int64[1] axis = {{1}}"
    return graph(TEXT[0], f"float[batch,{declared},4] y", "y = Slice(x, start, stop, axis)", weights)


def positions(index: str) -> str:
    """A table of eight positions, of which each sequence takes the first ones by this index."""
    body = f"s = Shape(x) n = Gather(s, one) r = Range(zero, n, one) p = Gather(table, {index}) y = Add(x, p)"
    if index != "r":
        body = body.replace("p = ", f"i = {index} p = ").replace(f"table, {index}", "table, i")
    return graph(*TEXT, body, "int64 zero = {0}, int64 one = {1}" + (", int64 last = {7}" if index != "r" else ""))


def branches(other: str) -> str:
    """An If whose other branch gives this."""
    body = (
        "z = If(c)<then_branch = a () => (float[batch,3] p) { p = Relu(x) },"
        f" else_branch = b () => (float[{other}] q) {{ q = {'Identity(x)' if other == 'batch,3' else 'Squeeze(x)'} }}>"
    )
    return graph("float[batch,3] x, bool c", "float[batch,3] y", f"{body} y = Relu(z)")


def lstm(state: str = "") -> str:
    """An LSTM over rows of three features, with this initial state."""
    call = f'LSTM<hidden_size=2>(x, w, r, "", ""{state})'
    return graph("float[time,batch,3] x", "float[time,1,batch,2] y", f"y, h, c = {call}").replace("y, h, c", "y")


def flattened(pooling: str) -> str:
    """A dense layer over a flattened picture."""
    return graph(PICTURE, "float[batch,5] y", f"p = {pooling} f = Flatten(p) y = Gemm(f, w)")


def declare_inner(model: onnx.ModelProto) -> None:
    model.graph.value_info.append(onnx.helper.make_tensor_value_info("r", onnx.TensorProto.FLOAT, [2, 3]))


def two_steps(model: onnx.ModelProto) -> None:
    """Declare the inner value as it is."""
    model.graph.value_info.append(onnx.helper.make_tensor_value_info("r", onnx.TensorProto.FLOAT, ["batch", 3]))


def negative_axis(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = -1


STEPS = rows("r = Relu(x) y = Neg(r)")

CASES = [
    Case("SH001", RELU, graph("float[?,3] x", "float[batch,3] y", "y = Relu(x)")),
    Case("SH001", RELU, graph("float[unk__3,3] x", "float[batch,3] y", "y = Relu(x)")),
    Case("SH002", reshape("-1,192", "batch,192"), reshape("2,192", "batch,192")),
    Case("SH002", reshape("0,192", "batch,192"), reshape("2,3,64", "batch,3,64")),
    Case("SH002", reshape("2,192", "2,192", "float[2,3,8,8] x"), reshape("1,192", "1,192")),
    Case("SH003", reshape("-1,192", "batch,192"), reshape("-1,64", "batch,192")),
    Case("SH003", reshape("-1,192", "batch,192"), reshape("-1,192", "batch,3,64")),
    Case("SH003", RELU, graph("float[batch,3] x", "float[2,3] y", "y = Relu(x)")),
    Case("SH004", reshape("-1,64", "n,64"), reshape("6,-1", "6,n")),
    Case("SH004", reshape("0,-1", "batch,192"), reshape("2,-1,8", "2,n,8")),
    Case(
        "SH005",
        graph(*TEXT, "y = Add(x, p)"),
        graph(*TEXT, "y = Add(x, p)"),
        {"weights": {"p": ramp(1, 16, 4)}},
        {"weights": {"p": ramp(1, 1, 4)}},
    ),
    Case(
        "SH005",
        graph("float[batch,16] x", "float[batch,4] y", "y = MatMul(x, w)"),
        graph("float[batch,length] x", "float[batch,4] y", "y = MatMul(x, w)"),
        {"weights": {"w": ramp(16, 4)}},
    ),
    Case(
        "SH006",
        graph("float[1,3] x", "float[2,3] y", "y = Expand(x, t)", "int64[2] t = {2, 3}"),
        graph("float[batch,3] x", "float[2,3] y", "y = Expand(x, t)", "int64[2] t = {2, 3}"),
    ),
    Case(
        "SH007",
        graph(TEXT[0], "float[batch,longer,4] y", "y = Concat<axis=1>(x, x)"),
        graph(TEXT[0], "float[2,longer,4] y", "y = Concat<axis=1>(token, x)"),
        {"weights": {"token": ramp(2, 1, 4)}},
        {"weights": None},
    ),
    Case(
        "SH008",
        resize('"", t', "1,3,16,16", "int64[4] t = {1, 3, 16, 16}", "float[1,3,8,8] x"),
        resize('"", t', "1,3,16,16", "int64[4] t = {1, 3, 16, 16}", "float[batch,3,8,8] x"),
    ),
    Case(
        "SH009",
        resize("t", "batch,3,higher,wider", "float[4] t = {1, 1, 2, 2}"),
        resize('"", t', "batch,3,16,16", "int64[4] t = {1, 3, 16, 16}"),
    ),
    Case(
        "SH010",
        flattened("GlobalAveragePool(x)"),
        flattened("AveragePool<kernel_shape=[3, 3], strides=[3, 3]>(x)"),
        {"weights": {"w": ramp(27, 5)}},
        {"weights": {"w": ramp(3, 5)}},
    ),
    Case(
        "SH010",
        reshape("-1,192", "batch,192"),
        graph(
            PICTURE,
            "float[n,5] y",
            "t = Constant<value_ints=[-1, 48]>() r = Relu(x) f = Reshape(r, t) y = MatMul(f, w)",
        ),
        {"weights": {"w": ramp(48, 5)}},
        {"weights": None},
    ),
    Case(
        "SH011",
        lstm(),
        lstm(", h0, h0"),
        {"weights": {"w": ramp(1, 8, 3), "r": ramp(1, 8, 2), "h0": ramp(1, 1, 2)}},
        {"weights": {"w": ramp(1, 8, 3), "r": ramp(1, 8, 2)}},
    ),
    Case("SH012", STEPS, STEPS, {"edit": declare_inner}, {"edit": two_steps}),
    Case("SH013", RELU, reshape("6,-1", "batch,n")),
    Case("SH014", RELU, RELU, {"edit": negative_axis}, {"edit": None}),
    Case("SH014", RELU, graph("float[0,3] x", "float[0,3] y", "y = Relu(x)")),
    Case("SH015", slice_to(OPEN, "sequence"), slice_to("16")),
    Case("SH016", positions("r"), positions("Min(r, last)"), {"weights": {"table": ramp(8, 4)}}),
    Case("SH017", branches("batch,3"), branches("batch")),
    Case("SH018", graph("float[1,3] x", "float[1,3] y", "y = Relu(x)"), RELU, lint={"target": "safety"}),
    Case(
        "SH019",
        graph("float[1,3] x", "float[3,1] y", "t = Constant<value_ints=[3, 1]>() y = Reshape(x, t)"),
        graph("float[1,3] x", "float[1,3] y", "s = Shape(x) y = Reshape(x, s)"),
        lint={"target": "safety"},
    ),
]
