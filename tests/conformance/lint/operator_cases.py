"""Models that keep and break the rules of operators, their attributes, and the flow between them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
from lint_models import Case, graph, ramp, rows

ROWS = "float[batch,3] x", "float[batch,3] y"
PICTURE = "float[batch,3,height,width] x"
RELU = rows("y = Relu(x)")
ONE_ROW = graph("float[1,3] x", "float[1,3] y", "y = Relu(x)")
INTS = "int64[batch] x", "int64[batch] y"
BOXES = "float[batch,n,4] boxes, float[batch,classes,n] scores", "int64[found,3] y"


def branch(operator: str) -> str:
    """An If with the operator in its first branch."""
    body = (
        f"y = If(c)<then_branch = a () => (float[batch,3] p) {{ p = {operator}(x) }},"
        " else_branch = b () => (float[batch,3] q) { q = Identity(x) }>"
    )
    return graph("float[batch,3] x, bool c", "float[batch,3] y", body)


def function(call: str, body: str, opset: int = 17) -> str:
    """A model that calls ``local.Twice``, whose body this is."""
    made = f'<domain: "local", opset_import: ["" : {opset}, "local" : 1]> Twice (a) => (b) {{ {body} }}'
    return f"{graph(*ROWS, call)}\n{made}"


TWICE = function("y = local.Twice(x)", "b = Add(a, a)")
LOCAL = {"imports": ', "local": 1'}


def norms(*epsilons: str) -> str:
    """A LayerNormalization for each epsilon, one after the other."""
    names = ["x", *(f"n{i}" for i in range(len(epsilons) - 1)), "y"]
    calls = (f"{names[i + 1]} = LayerNormalization<epsilon={e}>({names[i]}, scale)" for i, e in enumerate(epsilons))
    return rows(" ".join(calls), "float[3] scale = {1, 2, 3}")


def resized(attributes: str, sizes: str = "1, 1, 2, 2") -> str:
    """A Resize of a picture by scales."""
    body = f'y = Resize<{attributes}>(x, "", scales)'
    return graph(PICTURE, "float[batch,3,higher,wider] y", body, f"float[4] scales = {{{sizes}}}")


def pooled(attributes: str) -> str:
    return graph(
        "float[batch,3,8,8] x", "float[batch,3,h,w] y", f"y = AveragePool<kernel_shape=[3, 3], {attributes}>(x)"
    )


def scatter(indices: str) -> str:
    """Two rows written into the data."""
    weights = f"int64[2,1] i = {{{indices}}}, float[2,3] u = {{1, 2, 3, 4, 5, 6}}"
    return graph("float[8,3] x", "float[8,3] y", "y = ScatterND(x, i, u)", weights)


def boxes(most: str) -> str:
    """NonMaxSuppression with this number of boxes."""
    return graph(*BOXES, f"y = NonMaxSuppression(boxes, scores{most})", "int64[1] most = {100}" if most else "")


def masked(fill: str, after: str = "y = Softmax(z)") -> str:
    """A Softmax over what a mask fills."""
    body = f"f = Constant<value_float={fill}>() z = Where(m, x, f) {after}"
    return graph("float[batch,3] x, bool[batch,3] m", "float[batch,3] y", body)


def minus_infinity(model: onnx.ModelProto) -> None:
    next(node for node in model.graph.node if node.op_type == "Constant").attribute[0].f = -np.inf


def loop(condition: str, trips: str = '""') -> str:
    """A Loop whose body goes on as this says."""
    body = (
        f"n, y = Loop({trips}, go, x)<body = step (int64 i, bool before, float[batch,3] v)"
        f" => (bool after, float[batch,3] w) {{ after = {condition} w = Relu(v) }}>"
    )
    return rows(body.replace("n, y", "y"), "bool go = {1}, int64 ten = {10}")


def told(epsilon: str) -> Callable[[onnx.ModelProto], None]:
    """Record what the source's layer was told of its epsilon."""

    def edit(model: onnx.ModelProto) -> None:
        for key, value in (("assay.source.epsilon", epsilon), ("assay.module", "norm")):
            model.graph.node[0].metadata_props.add(key=key, value=value)

    return edit


def unsorted(model: onnx.ModelProto) -> None:
    nodes = list(reversed(model.graph.node))
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def with_epsilon(value: str) -> str:
    """What a normalization by hand computes: x over the root of its square and an epsilon."""
    return rows("s = Mul(x, x) e = Add(s, eps) r = Sqrt(e) y = Div(x, r)", f"float eps = {{{value}}}")


CASES = [
    Case("OP001", RELU, RELU, {"opset": 21}, {"opset": 17}, {"target": "edge"}),
    Case("OP002", rows("y = Erf(x)"), rows("y = Erfc(x)")),
    Case("OP002", TWICE, rows("y = acme.Magic(x)"), {"imports": ', "acme": 1'}, LOCAL),
    Case("OP002", branch("Relu"), branch("Relux")),
    Case("OP003", rows("y = Dropout(x)"), rows("r = Constant<value_float=0.5>() y = Dropout(x, r, t)", "bool t = {1}")),
    Case(
        "OP004", rows("n = RandomNormalLike<seed=1.0>(x) y = Add(x, n)"), rows("n = RandomNormalLike(x) y = Add(x, n)")
    ),
    Case(
        "OP005",
        RELU,
        rows("y = com.microsoft.nchwc.Relu(x)"),
        {"imports": ', "com.microsoft.nchwc": 1'},
        {"imports": ""},
    ),
    Case("OP006", RELU, rows("y = Add(x, nowhere)")),
    Case("OP006", RELU, rows("z = Relu(x)")),
    Case(
        "OP007",
        rows("y = Add(x, w)"),
        rows("y = Add(x, w)"),
        {"weights": {"w": ramp(3, dtype=np.float16)}},
        {"weights": {"w": ramp(3)}},
    ),
    Case(
        "OP007",
        graph("int64[batch] x", "float[batch] y", "f = Cast<to=1>(x) y = Erf(f)"),
        graph("int64[batch] x", "int64[batch] y", "y = Sigmoid(x)"),
    ),
    Case("OP008", RELU, rows("y = Relu<alpha=0.1>(x)")),
    Case("OP008", rows("y = Add(x, x)"), rows("y = Add(x)")),
    Case(
        "OP008", graph(*ROWS, "y = Cast<to=1>(x)").replace("float[batch,3] x", "double[batch,3] x"), rows("y = Cast(x)")
    ),
    Case("OP009", TWICE, function("y = local.Twice(x)", "b = Add(a, a)", 13), LOCAL),
    Case("OP010", RELU, RELU, {"imports": ', "com.acme": 1'}, {"imports": ""}),
    Case("OP011", RELU, RELU, {"opset": 9}, {"opset": 17}),
    Case(
        "OP012",
        graph("float[a,b,c] x", "float[a,b,c] y", "y = Softmax<axis=1>(x)"),
        graph("float[a,b,c] x", "float[a,b,c] y", "y = Softmax<axis=1>(x)"),
        {"opset": 12},
        {"opset": 13},
    ),
    Case("OP013", TWICE, function("y = local.Twice(x)", "b = local.Twice(a)"), LOCAL),
    Case("OP014", TWICE, function("y = Relu(x)", "b = Add(a, a)"), LOCAL),
    Case("OP015", RELU, rows("z = Neg(x) y = Relu(x)")),
    Case(
        "OP016",
        RELU,
        rows("y = com.microsoft.Gelu(x)"),
        {"imports": ', "com.microsoft": 1'},
        {"imports": ""},
        {"level": "portable"},
    ),
    Case("OP017", rows("r = Relu(x) y = Neg(r)"), rows("d = Cast<to=11>(x) e = Exp(d) y = Cast<to=1>(e)")),
    Case("OP018", with_epsilon("0.001"), with_epsilon("0")),
    Case("OP019", norms("0.00001"), norms("0.0")),
    Case("OP020", norms("0.001", "0.001", "0.001"), norms("0.001", "0.001", "0.00001")),
    Case(
        "OP021",
        resized('coordinate_transformation_mode="half_pixel", mode="linear"'),
        resized('coordinate_transformation_mode="pytorch_half_pixel", mode="linear"'),
    ),
    Case(
        "OP022",
        resized('antialias=1, exclude_outside=1, cubic_coeff_a=-0.5, mode="cubic"'),
        resized('antialias=1, exclude_outside=1, mode="cubic"'),
        {"opset": 18},
    ),
    Case(
        "OP022",
        resized('antialias=1, exclude_outside=1, mode="linear"'),
        resized('antialias=1, mode="linear"'),
        {"opset": 18},
    ),
    Case("OP023", pooled("ceil_mode=0"), pooled("ceil_mode=1")),
    Case("OP024", rows("r = Relu(x) y = Neg(r)"), rows("h = Cast<to=10>(x) y = Cast<to=1>(h)")),
    Case("OP025", rows("f = Floor(x) y = Neg(f)"), rows("i = Cast<to=7>(x) y = Cast<to=1>(i)")),
    Case(
        "OP026", graph(*INTS, "y = Add(x, two)", "int64 two = {2}"), graph(*INTS, "y = Div(x, two)", "int64 two = {2}")
    ),
    Case(
        "OP026",
        graph(*INTS, "y = Mod(x, two)", "int64 two = {2}"),
        graph(*INTS, "y = Mod<fmod=1>(x, two)", "int64 two = {2}"),
    ),
    Case("OP027", scatter("0, 5"), scatter("5, 5")),
    Case(
        "OP028",
        graph("float[time,batch,3] x", "float[time,1,batch,2] y", "y = GRU<hidden_size=2>(x, w, r)"),
        graph("float[batch,time,3] x", "float[batch,time,1,2] y", "y = GRU<hidden_size=2, layout=1>(x, w, r)"),
        {"weights": {"w": ramp(1, 6, 3), "r": ramp(1, 6, 2)}},
    ),
    Case("OP029", boxes(", most"), boxes("")),
    Case("OP030", rows("y = LogSoftmax(x)"), rows("p = Softmax(x) y = Log(p)")),
    Case("OP030", rows("y = Softplus(x)"), rows("e = Exp(x) o = Add(one, e) y = Log(o)", "float one = {1}")),
    Case("OP031", rows("y = Softmax(x)"), rows("p = Softmax(x) y = Softmax(p)")),
    Case(
        "OP032", branch("Relu"), branch("Relu").replace(", bool c", "").replace("{ y = If", "<bool c = {1}> { y = If")
    ),
    Case("OP033", loop("Identity(before)", "ten"), loop("Identity(before)")),
    Case("OP034", masked("-10000.0"), masked("-10000.0"), {"edit": minus_infinity}, {"edit": None}),
    Case(
        "OP034",
        masked("-10000.0", "s = Softmax(z) n = IsNaN(s) o = Constant<value_float=0.0>() y = Where(n, o, s)"),
        masked("-10000.0"),
        {"edit": minus_infinity},
    ),
    Case(
        "OP035",
        graph(ROWS[0], "float[batch] y", "y = Gather<axis=1>(x, i)", "int64 i = {2}"),
        graph(ROWS[0], "float[batch] y", "y = Gather<axis=1>(x, i)", "int64 i = {3}"),
    ),
    Case("OP036", graph(ROWS[0], "float[3,batch] y", "y = Transpose(x)"), rows("t = Transpose(x) y = Transpose(t)")),
    Case("OP037", RELU, rows("r = Relu(x) y = Cast<to=1>(r)")),
    Case("OP038", RELU, rows("r = Relu(x) i = Identity(r) y = Neg(i)")),
    Case(
        "OP039",
        rows("y = Add(x, w)", "float[3] w = {1, 2, 3}"),
        graph("float[2,3] x, float[1,3] z", "float[2,3] y", "e = Expand(z, t) y = Add(x, e)", "int64[2] t = {2, 3}"),
    ),
    Case("OP040", RELU, rows("w = Neg(v) y = Add(x, w)", "float[3] v = {1, 2, 3}")),
    Case("OP041", norms("0.001"), norms("0.001"), {"edit": told("1e-12")}, {"edit": told("0.001")}),
    Case("OP042", rows("r = Relu(x) y = Neg(r)"), rows("r = Relu(x) y = Neg(r)"), {"edit": unsorted}, {"edit": None}),
    Case("OP043", rows("y = Softmax<axis=1>(x)"), rows("y = Softmax<axis=2>(x)")),
    Case(
        "OP044",
        graph("float[1,3] x", "float[1,3] y", "y = Relu(x)"),
        graph("float[1,3] x", "int64[2,n] y", "y = NonZero(x)"),
        lint={"target": "safety"},
    ),
    Case("OP045", RELU, TWICE, LOCAL, {"imports": ""}, {"target": "safety", "select": ["OP045"]}),
    Case("OP047", ONE_ROW, ONE_ROW, {"opset": 12}, {"opset": 17}, {"target": "safety"}),
]
