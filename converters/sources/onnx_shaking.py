"""An ONNX model whose weights, or whose operators' results, are moved by units in the last place, at random.

The spread of its outputs is how far any two correct implementations may differ (Vignes, CESTAC, 1993).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import onnx.helper
import onnx.inliner
import onnx.shape_inference
import onnx_ir as ir

from assay.converters.sources.onnx_sums import running_sum

_FLOATS = {ir.DataType.FLOAT16, ir.DataType.BFLOAT16, ir.DataType.FLOAT, ir.DataType.DOUBLE}
# results that are copies of values have no rounding error
_MOVES = {
    *("Identity", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Expand", "Tile", "Slice", "Split"),
    *("Concat", "Pad", "Gather", "GatherElements", "GatherND", "ScatterElements", "ScatterND", "Where", "Cast"),
    *("Relu", "Clip", "Max", "Min", "Abs", "Neg", "Sign", "MaxPool", "GlobalMaxPool", "ReduceMax", "ReduceMin"),
    *("Constant", "ConstantOfShape", "Shape", "Range", "DepthToSpace", "SpaceToDepth", "TopK", "Dropout", "Floor"),
    *("Ceil", "Round", "CastLike", "EyeLike", "If", "Loop", "Scan", "Trilu", "OneHot", "Compress", "Unique"),
    *("QuantizeLinear", "DequantizeLinear", "ReverseSequence", "Optional", "OptionalGetElement", "SequenceAt"),
}
# operators whose ties an implementation may break as it likes, with the inputs that decide their order
_ORDERS = {"ArgMax": (0,), "ArgMin": (0,), "TopK": (0,), "NonMaxSuppression": (0, 1)}
_WAVER = 4  # units in the last place


def with_moved_weights(model: onnx.ModelProto, seed: int, ulps: int) -> tuple[onnx.ModelProto, bool]:
    """A copy in which each weight is moved by so many units in the last place, and whether there are any."""
    copy = ir.from_proto(model)
    generator = np.random.default_rng(seed)
    moved = False
    for graph in _graphs(copy):
        for value in graph.initializers.values():
            if value.const_value is not None and _is_weight(value, value.const_value):
                value.const_value = _moved(value.const_value, ulps, generator)
                moved = True
        for node in (node for node in graph if node.op_type == "Constant" and "value" in node.attributes):
            tensor = node.attributes["value"].as_tensor()
            if _is_weight(node.outputs[0], tensor) and tensor.size > 1:
                node.attributes.add(ir.AttrTensor("value", _moved(tensor, ulps, generator)))
                moved = True
    return ir.to_proto(copy), moved


def shaken_model(model: onnx.ModelProto, seed: int) -> onnx.ModelProto:
    """The model with each result that is rounded moved by up to one unit in the last place.

    With an even seed each element goes its own way, with an odd one equal values go together, as one implementation
    rounds them.
    """
    copy = _typed(model)
    for index, node in enumerate(_nodes(copy)):
        if node.op_type not in _MOVES:
            for output in _float_outputs(node):
                _shake(node, output, 1000 * seed + index, alike=seed % 2 == 1)
    return ir.to_proto(copy)


def wavering_model(model: onnx.ModelProto, seed: int) -> onnx.ModelProto:
    """As `shaken_model`; weights and what an order is decided by move by a few units in the last place, too."""
    copy = _typed(shaken_model(with_moved_weights(model, seed, _WAVER)[0], seed))
    for index, node in enumerate(_nodes(copy)):
        for position in _ORDERS.get(node.op_type, ()):
            value = node.inputs[position]
            if value is not None and value.dtype in _FLOATS and node.graph is not None:
                shift = _waver(value, 1000 * seed + index + 500, value.dtype)
                node.graph.insert_before(node, shift)
                node.replace_input_with(position, shift[-1].outputs[0])
    return ir.to_proto(copy)


def _graphs(model: ir.Model) -> list[ir.Graph]:
    return [model.graph, *model.graph.subgraphs()]


def _nodes(model: ir.Model) -> list[ir.Node]:
    return [node for graph in _graphs(model) for node in graph]


def _is_weight(value: ir.Value, tensor: ir.TensorProtocol) -> bool:
    """Single numbers, exponents and scales of a Resize are what they are: another exponent of 2 makes NaN."""
    settings = any(
        use.node.op_type in ("Resize", "Upsample") or (use.node.op_type, use.idx) == ("Pow", 1) for use in value.uses()
    )
    return tensor.dtype in _FLOATS and len(tensor.shape) > 0 and not settings


def _typed(model: onnx.ModelProto) -> ir.Model:
    inlined = onnx.inliner.inline_local_functions(model) if model.functions else model
    return ir.from_proto(onnx.shape_inference.infer_shapes(inlined))


def _float_outputs(node: ir.Node) -> Iterable[ir.Value]:
    return [value for value in node.outputs if value.dtype in _FLOATS and isinstance(value.type, ir.TensorType)]


def _shake(node: ir.Node, value: ir.Value, seed: int, alike: bool) -> None:
    assert node.graph is not None
    assert value.dtype is not None
    summed = _named(running_sum(node), value, seed + 250) if alike else []
    nodes = [
        *summed,
        *(_shift_alike if alike else _shift)(summed[-1].outputs[0] if summed else value, seed, value.dtype),
    ]
    name = value.name
    node.graph.insert_after(node, nodes)
    moved = nodes[-1].outputs[0]
    value.replace_all_uses_with(moved, replace_graph_outputs=True)
    for part in nodes:
        for index, given in enumerate(part.inputs):
            if given is moved:
                part.replace_input_with(index, value)
    value.name, moved.name = f"{name}/raw", name


def _shift(value: ir.Value, seed: int, dtype: ir.DataType) -> list[ir.Node]:
    """``value + value * u`` with u evenly within the unit, each element its own."""
    factor = _random(value, seed, float(_limits(dtype).eps))
    product = ir.Node("", "Mul", [value, factor.outputs[0]])
    total = ir.Node("", "Add", [value, product.outputs[0]])
    return _named([factor, product, total], value, seed)


def _shift_alike(value: ir.Value, seed: int, dtype: ir.DataType) -> list[ir.Node]:
    """``value + value * u`` with u within the unit by a hash of the value: the sine of its logarithm, many turns on."""
    limits = _limits(dtype)
    turns = [0.9 / float(limits.eps), float(seed % 1000), float(limits.eps), float(limits.tiny)]
    numbers = [
        ir.Node("", "Constant", [], [ir.AttrTensor("value", ir.tensor(np.array(number, np.float64)))])
        for number in turns
    ]
    scale, phase, unit, tiny = (node.outputs[0] for node in numbers)
    wide = ir.Node("", "Cast", [value], [ir.AttrInt64("to", int(ir.DataType.DOUBLE))])
    size = ir.Node("", "Abs", [wide.outputs[0]])
    positive = ir.Node("", "Max", [size.outputs[0], tiny])
    log = ir.Node("", "Log", [positive.outputs[0]])
    turned = ir.Node("", "Mul", [log.outputs[0], scale])
    shifted = ir.Node("", "Add", [turned.outputs[0], phase])
    sine = ir.Node("", "Sin", [shifted.outputs[0]])
    factor = ir.Node("", "Mul", [sine.outputs[0], unit])
    product = ir.Node("", "Mul", [wide.outputs[0], factor.outputs[0]])
    total = ir.Node("", "Add", [wide.outputs[0], product.outputs[0]])
    moved = ir.Node("", "Cast", [total.outputs[0]], [ir.AttrInt64("to", int(dtype))])
    nodes = [*numbers, wide, size, positive, log, turned, shifted, sine, factor, product, total, moved]
    return _named(nodes, value, seed)


def _waver(value: ir.Value, seed: int, dtype: ir.DataType) -> list[ir.Node]:
    """``value + u * size`` where the size is the element's own or that of the tensor; zeros are ties, too."""
    limits = _limits(dtype)
    least = ir.tensor(np.array(float(limits.tiny) / float(limits.eps), dtype.numpy()))
    factor = _random(value, seed, _WAVER * float(limits.eps))
    smallest = ir.Node("", "Constant", [], [ir.AttrTensor("value", least)])
    size = ir.Node("", "ReduceL2", [value], [ir.AttrInt64("keepdims", 0)])
    count = ir.Node("", "Size", [value])
    number = ir.Node("", "Cast", [count.outputs[0]], [ir.AttrInt64("to", int(dtype))])
    root = ir.Node("", "Sqrt", [number.outputs[0]])
    mean = ir.Node("", "Div", [size.outputs[0], root.outputs[0]])
    own = ir.Node("", "Abs", [value])
    scale = ir.Node("", "Max", [own.outputs[0], mean.outputs[0], smallest.outputs[0]])
    product = ir.Node("", "Mul", [scale.outputs[0], factor.outputs[0]])
    total = ir.Node("", "Add", [value, product.outputs[0]])
    return _named([factor, smallest, size, count, number, root, mean, own, scale, product, total], value, seed)


def _random(value: ir.Value, seed: int, unit: float) -> ir.Node:
    bounds = [ir.AttrFloat32("low", -unit), ir.AttrFloat32("high", unit)]
    return ir.Node("", "RandomUniformLike", [value], [*bounds, ir.AttrFloat32("seed", float(seed % 2**20))])


def _named(nodes: list[ir.Node], value: ir.Value, seed: int) -> list[ir.Node]:
    """Names of their own; the last one has the type of the value that it stands for."""
    for index, node in enumerate(nodes):
        node.outputs[0].name = f"{value.name}/moved/{seed}/{index}"
    if nodes:
        nodes[-1].outputs[0].type, nodes[-1].outputs[0].shape = value.type, value.shape
    return nodes


def _limits(dtype: ir.DataType) -> Any:
    return ml_dtypes.finfo(dtype.numpy())  # type: ignore[no-untyped-call]


def _moved(tensor: ir.TensorProtocol, ulps: int, generator: np.random.Generator) -> ir.TensorProtocol:
    array = tensor.numpy()
    towards = np.where(generator.random(array.shape) < 0.5, np.inf, -np.inf).astype(array.dtype)
    for _ in range(ulps):
        array = np.nextafter(array, towards)
    return ir.tensor(array, name=tensor.name)
