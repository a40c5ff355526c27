"""Graphs too deep, too large, in circles, or of nonsense."""

from __future__ import annotations

import os
from pathlib import Path

import onnx
from hostile_builders import RELU, Build, Edit, body, changed, content, text
from lint_models import parse, write_model
from onnx import AttributeProto, helper


def nested(depth: int) -> Build:
    """If in If by the wire format itself: nothing but a hand can write more than a hundred levels."""

    def build(folder: Path) -> Path:
        graph = _field(2, b"inner") + _field(1, _field(2, b"p") + _field(4, b"Relu"))
        for _ in range(depth):
            attribute = _field(1, b"then_branch") + _field(6, graph) + b"\xa0\x01\x05"
            graph = _field(1, _field(4, b"If") + _field(5, attribute)) + _field(2, b"g")
        return content(b"\x08\x08" + _field(7, graph))(folder)

    return build


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    head = bytearray()
    while value > 0x7F:
        head.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*head, value])


def many_nodes(count: int, node: bytes | None = None) -> Build:
    """A chain of so many nodes, or so many times these bytes, written without a proto."""

    def build(folder: Path) -> Path:
        chain = (
            _field(1, f"v{i}".encode()) + _field(2, f"v{i + 1}".encode()) + _field(4, b"Relu") for i in range(count)
        )
        nodes = (node for _ in range(count)) if node is not None else chain
        graph = b"".join(_field(1, each) for each in nodes)
        opset = b"\x42\x02\x10\x12"
        return content(b"\x08\x08" + opset + _field(7, graph + _field(2, b"g")))(folder)

    return build


def functions(*bodies: tuple[str, list[tuple[str, str]]]) -> Build:
    """Functions of the domain f, each with the operators and domains that it calls; the graph calls the first."""

    def build(folder: Path) -> Path:
        imports = [helper.make_opsetid("", 18), helper.make_opsetid("f", 1)]
        made = []
        for name, calls in bodies:
            ends = [f"y{i}" for i in range(len(calls) - 1)] + ["y"]
            nodes = [helper.make_node(o, ["x"], [e], domain=d) for (o, d), e in zip(calls, ends, strict=True)]
            made.append(helper.make_function("f", name, ["x"], ["y"], nodes, imports))
        model = parse(RELU.replace("Relu", f"f.{bodies[0][0]}"), 18, ', "f" : 1')
        model.functions.extend(made)
        return write_model(folder, model)

    return build


def laughs(depth: int, count: int) -> Build:
    """Each function calls the next ``count`` times."""
    inner = [(f"F{i}", [(f"F{i + 1}", "f")] * count) for i in range(depth)]
    return functions(*inner, (f"F{depth}", [("Relu", "")]))


def twice(model: onnx.ModelProto) -> None:
    model.graph.node.append(model.graph.node[0])


def cyclic(model: onnx.ModelProto) -> None:
    model.graph.node.extend([helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Relu", ["a"], ["b"])])


def self_reading(model: onnx.ModelProto) -> None:
    model.graph.node[0].input[0] = "y"


def wrong_type(model: onnx.ModelProto) -> None:
    model.graph.node.add(op_type="Softmax", input=["x"], output=["s"]).attribute.add(name="axis", type=3, s=b"last")


def lying_type(model: onnx.ModelProto) -> None:
    model.graph.node.add(op_type="Softmax", input=["x"], output=["s"]).attribute.add(name="axis", type=2, f=1.5)


def type_99(model: onnx.ModelProto) -> None:
    raw = onnx.NodeProto(op_type="Softmax", input=["x"], output=["s"]).SerializeToString()
    model.graph.node.add().ParseFromString(raw + _field(5, _field(1, b"axis") + b"\xa0\x01\x63"))


def graphs_by_reference(model: onnx.ModelProto) -> None:
    node = model.graph.node.add(op_type="If", input=["x"], output=["s"])
    node.attribute.add(name="then_branch", type=AttributeProto.GRAPHS, ref_attr_name="a")


def graph_as_tensor(model: onnx.ModelProto) -> None:
    model.graph.node.add(op_type="If", input=["x"], output=["s"]).attribute.add(name="then_branch", type=4)


def raw_edit(old: bytes, new: bytes) -> Build:
    """A change of bytes that protobuf's own writer would refuse."""

    def build(folder: Path) -> Path:
        path = text(RELU.replace("x", "xxxx").replace("maxxxx", "max"))(folder)
        path.write_bytes(path.read_bytes().replace(old, new))
        return path

    return build


def named(name: str) -> Build:
    def edit(model: onnx.ModelProto) -> None:
        model.graph.node[0].name = model.graph.node[0].input[0] = model.graph.input[0].name = name

    return changed(edit)


def bare(folder: Path) -> Path:
    return write_model(folder, onnx.ModelProto(ir_version=8, graph=onnx.GraphProto()))


def outputless(model: onnx.ModelProto) -> None:
    del model.graph.output[:]
    del model.graph.node[0].output[:]


def operandless(model: onnx.ModelProto) -> None:
    """Every operator there is, without inputs and outputs."""
    del model.graph.node[0].input[:]
    model.graph.node.extend(
        [onnx.NodeProto(op_type=op) for op in sorted({s.name for s in onnx.defs.get_all_schemas()})]
    )


def imports(version: int) -> Edit:
    def edit(model: onnx.ModelProto) -> None:
        model.opset_import[0].version = version

    return edit


def heavy(field: int) -> Build:
    """One weight of 2,000,000,000 bytes in this field; the disk holds no more than the rest."""
    elements = 500_000_000

    def build(folder: Path) -> Path:
        size = 4 * elements
        dims = b"\x08" + _varint(elements) + b"\x10\x01" + _field(8, b"w")
        tensor = dims + _varint(field << 3 | 2) + _varint(size)
        node = _field(1, _field(1, b"w") + _field(2, b"y") + _field(4, b"Relu"))
        graph = node + _varint(5 << 3 | 2) + _varint(len(tensor) + size) + tensor
        path = content(b"\x08\x08\x42\x02\x10\x12" + _varint(7 << 3 | 2) + _varint(len(graph) + size) + graph)(folder)
        os.truncate(path, path.stat().st_size + size)
        return path

    return build


GRAPHS: dict[str, Build] = {
    "10,000 subgraphs deep": nested(10_000),
    "50 subgraphs deep": nested(50),
    "25 subgraphs deep": nested(25),
    "a cycle": changed(cyclic),
    "a node that reads itself": changed(self_reading),
    "two nodes with one output": changed(twice),
    "a function that calls itself": functions(("F", [("F", "f")])),
    "two functions that call each other": functions(("F", [("G", "f")]), ("G", [("F", "f")])),
    "functions that call 2^40 times": laughs(40, 2),
    "functions 300 deep": laughs(300, 1),
    "a name that is no UTF-8": raw_edit(b"xxxx", b"\xff\xfe\xfd\xfc"),
    "an operator that is no UTF-8": raw_edit(b"Relu", b"\xff\xfe\xfd\xfc"),
    "an axis that is no UTF-8": raw_edit(b"batch", b"\xff\xfe\xfd\xfc\xfb"),
    "control characters": named("a\x1b[2J\x00\r\n\u202eb"),
    "a name of 10 MB": named("n" * 10_000_000),
    "a surrogate": raw_edit(b"xxxx", b"\xed\xa0\x80x"),
    "an attribute of another type": changed(wrong_type),
    "an attribute that lies about its type": changed(lying_type),
    "an attribute of type 99": changed(type_99),
    "graphs by reference": changed(graphs_by_reference),
    "a graph that is a tensor": changed(graph_as_tensor),
    "no nodes and no outputs": bare,
    "nodes without outputs": changed(outputless),
    "every operator without operands": changed(operandless),
    "opset 2^62": changed(imports(1 << 62)),
    "opset -1": changed(imports(-1)),
    "a target of 2^40 axes": body("int64[1099511627776] s, float x", "y = Reshape(x, s)"),
    "a slice of 2^40 starts": body("int64[1099511627776] s, float x", "y = Slice(x, s, s)"),
    "a convolution in no groups": body("float[1,4,8,8] x, float[4,4,1,1] w", "y = Conv<group=0>(x, w)"),
    "a convolution without strides": body("float[1,4,8,8] x, float[4,4,1,1] w", "y = Conv<strides=[0,0]>(x, w)"),
    "a pool without strides": body("float[1,4,8,8] x", "y = MaxPool<kernel_shape=[1,1],strides=[0,0]>(x)"),
    "a split into nothing": body("float[4] x", "y = Split<num_outputs=0>(x)"),
    "a division by zero": body(
        "float x", "z = Constant<value_ints=[0]>() o = Constant<value_ints=[5]>() m = Div(o, z) y = Expand(x, m)"
    ),
    "an axis of 99": body("float[4] x", "y = Transpose<perm=[99]>(x)"),
}


HUGE: dict[str, Build] = {
    "a million nodes": many_nodes(1_000_000),
    "250,000 nodes": many_nodes(249_000),
    "20 million empty nodes": many_nodes(20_000_000, b""),
    "30 million outputs": many_nodes(30, b"\x12\x00" * 1_000_000),
    "2 GB of weights in one file": heavy(9),
    "2 GB of weights that are no raw data": heavy(4),
}
