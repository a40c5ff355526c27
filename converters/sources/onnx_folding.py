"""The values of an ONNX model that depend on no input: what a graph optimizer may put in place of their nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx

_RANDOM = frozenset(
    {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Bernoulli", "Multinomial"}
)


def folded_constants(model: onnx.ModelProto) -> list[tuple[str, np.ndarray]]:
    """Name and array of each value of the main graph that constants alone make, the constants apart."""
    import onnx
    import onnxruntime as ort

    nodes = list(_constant_nodes(model))
    wanted = [name for node in nodes if node.op_type != "Constant" for name in node.output if name]
    if not wanted:
        return []
    graph = onnx.helper.make_graph(nodes, "folding", [], [], model.graph.initializer)
    graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in wanted)
    folding = onnx.helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = ort.InferenceSession(folding.SerializeToString(), options, providers=["CPUExecutionProvider"])
    pairs = zip(wanted, session.run(wanted, {}), strict=True)
    return [(name, value) for name, value in pairs if isinstance(value, np.ndarray)]


def _constant_nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """In their order, which is that of a graph; those with graphs of their own apart, which may take anything."""
    known = {tensor.name for tensor in model.graph.initializer} | {""}
    for node in model.graph.node:
        plain = all(attribute.type not in (5, 10) for attribute in node.attribute)  # GRAPH, GRAPHS
        if plain and node.op_type not in _RANDOM and set(node.input) <= known:
            known.update(node.output)
            yield node
