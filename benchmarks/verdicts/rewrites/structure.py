"""Rewrites of names, order and storage: no number changes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from verdicts.graph import Graph, is_float
from verdicts.rewrites.registry import Origin, Rewritten, rewrite

_EVERY = 3


@rewrite("rename", "internal values and nodes have other names")
def rename(origin: Origin) -> Iterator[Rewritten]:
    """All but the inputs and outputs."""
    graph = Graph.copy(origin.subject.model)
    kept = {v.name for v in (*graph.proto.input, *graph.proto.output)}
    subgraphs = any(a.HasField("g") for node in graph.nodes for a in node.attribute)
    names = {} if subgraphs else {n: f"v{i}" for i, n in enumerate(dict.fromkeys(_values(graph))) if n not in kept}
    for number, node in enumerate(graph.nodes):
        node.name = f"node{number}"
        for side in (node.input, node.output):
            side[:] = [names.get(name, name) for name in side]
    for tensor in graph.proto.initializer:
        tensor.name = names.get(tensor.name, tensor.name)
    del graph.proto.value_info[:]
    yield Rewritten("", graph.model)


def _values(graph: Graph) -> Iterator[str]:
    yield from (tensor.name for tensor in graph.proto.initializer)
    yield from (name for node in graph.nodes for name in node.output if name)


@rewrite("shuffle-initializers", "initializers are in another order")
def shuffle_initializers(origin: Origin) -> Iterator[Rewritten]:
    """At random."""
    graph = Graph.copy(origin.subject.model)
    tensors = list(graph.proto.initializer)
    del graph.proto.initializer[:]
    graph.proto.initializer.extend(tensors[i] for i in np.random.default_rng(1).permutation(len(tensors)))
    yield Rewritten("", graph.model)


@rewrite("reorder-nodes", "nodes are in another topological order")
def reorder_nodes(origin: Origin) -> Iterator[Rewritten]:
    """Whatever can run next is drawn at random."""
    for seed in (1, 2):
        graph = Graph.copy(origin.subject.model)
        waiting, generator = list(graph.nodes), np.random.default_rng(seed)
        made = {v.name for v in graph.proto.input} | {t.name for t in graph.proto.initializer} | {""}
        ordered = []
        while waiting:
            ready = [i for i, node in enumerate(waiting) if _needs(node) <= made]
            node = waiting.pop(ready[int(generator.integers(len(ready)))])
            made |= set(node.output)
            ordered.append(node)
        del graph.proto.node[:]
        graph.proto.node.extend(ordered)
        yield Rewritten(str(seed), graph.model)


def _needs(node: onnx.NodeProto) -> set[str]:
    """What a node reads, its subgraphs' outer values included."""
    needed = set(node.input)
    for graph in (a.g for a in node.attribute if a.HasField("g")):
        own = (
            {v.name for v in graph.input}
            | {t.name for t in graph.initializer}
            | {o for n in graph.node for o in n.output}
        )
        needed |= set().union(*(_needs(inner) for inner in graph.node)) - own
        needed |= {v.name for v in graph.output} - own
    return needed


@rewrite("identities", "Identity nodes are put in")
def identities(origin: Origin) -> Iterator[Rewritten]:
    """Behind every third value."""
    graph = Graph.copy(origin.subject.model)
    for name in [node.output[0] for node in graph.nodes][::_EVERY]:
        graph.insert_after(name, "Identity")
    yield Rewritten("", graph.model)


@rewrite("dropout", "Dropout nodes in inference mode are put in")
def dropout(origin: Origin) -> Iterator[Rewritten]:
    """Behind every third float value."""
    graph = Graph.copy(origin.subject.model)
    values = origin.subject.values
    floats = [n.output[0] for n in graph.nodes if getattr(values.get(n.output[0]), "dtype", None) == np.float32]
    for name in floats[::_EVERY]:
        graph.insert_after(
            name, "Dropout", [graph.add_constant(np.array(0.5, np.float32)), graph.add_constant(np.array(False))]
        )
    yield Rewritten("", graph.model)


@rewrite("constants", "initializers become Constant nodes, or Constant nodes initializers")
def constants(origin: Origin) -> Iterator[Rewritten]:
    """All of them."""
    graph = Graph.copy(origin.subject.model)
    tensors = list(graph.proto.initializer)
    del graph.proto.initializer[:]
    for number, tensor in enumerate(tensors):
        node = helper.make_node("Constant", [], [tensor.name], name=f"constant_{number}", value=tensor)
        graph.proto.node.insert(0, node)
    yield Rewritten("nodes", graph.model)
    graph = Graph.copy(origin.subject.model)
    found = [node for node in graph.nodes if node.op_type == "Constant" and node.attribute[0].name == "value"]
    for node in found:
        tensor = TensorProto()
        tensor.CopyFrom(node.attribute[0].t)
        tensor.name = node.output[0]
        graph.proto.initializer.append(tensor)
        graph.proto.node.remove(node)
    yield Rewritten("initializers", graph.model)


@rewrite("symbols", "dynamic axes have other names", contract=False)
def symbols(origin: Origin) -> Iterator[Rewritten]:
    """Each symbol gets another name."""
    model = Graph.copy(origin.subject.model).model
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_param = f"{dim.dim_param}_axis".replace(" ", "")
    yield Rewritten("", model)


@rewrite("external-data", "weights lie in a file of their own")
def external_data(origin: Origin) -> Iterator[Rewritten]:
    """All that are larger than 100 bytes."""
    yield Rewritten("", Graph.copy(origin.subject.model).model, external=True)


@rewrite("float-data", "weights are stored in the typed field instead of raw bytes")
def float_data(origin: Origin) -> Iterator[Rewritten]:
    """float_data holds them."""
    model = Graph.copy(origin.subject.model).model
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and tensor.raw_data:
            array = numpy_helper.to_array(tensor)
            tensor.CopyFrom(helper.make_tensor(tensor.name, tensor.data_type, array.shape, array.ravel().tolist()))
    yield Rewritten("", model)


@rewrite("duplicate-weights", "shared weights are copied, or equal ones shared")
def duplicate_weights(origin: Origin) -> Iterator[Rewritten]:
    """Every user of a shared initializer but the first has a copy."""
    graph, seen = Graph.copy(origin.subject.model), set()
    for node in graph.nodes:
        for index, name in enumerate(node.input):
            array = graph.constant(name) if graph.initializer(name) is not None else None
            if array is not None and name in seen:
                node.input[index] = graph.add_constant(array, "copy")
            seen.add(name)
    yield Rewritten("", graph.model)


@rewrite("documentation", "doc strings, producer and more metadata are written")
def documentation(origin: Origin) -> Iterator[Rewritten]:
    """Nothing that a runtime reads."""
    model = Graph.copy(origin.subject.model).model
    model.producer_name, model.doc_string = "another tool", "the same model"
    for node in model.graph.node:
        node.doc_string = "a node"
    entry = model.metadata_props.add()
    entry.key, entry.value = "trained_on", "2024"
    yield Rewritten("", model)


@rewrite("value-info", "shapes of intermediate values are stated, or not")
def value_info(origin: Origin) -> Iterator[Rewritten]:
    """All that shape inference knows; none."""
    yield Rewritten("stated", onnx.shape_inference.infer_shapes(origin.subject.model))
    model = Graph.copy(origin.subject.model).model
    del model.graph.value_info[:]
    yield Rewritten("removed", model)


@rewrite("transpose-pairs", "pairs of nodes that undo each other are put in")
def transpose_pairs(origin: Origin) -> Iterator[Rewritten]:
    """Transposes, Unsqueeze with Squeeze, and Casts of integers to int64 by way of int32."""
    for label in ("transpose", "squeeze"):
        graph = Graph.copy(origin.subject.model)
        values = origin.subject.values
        names = [n.output[0] for n in graph.nodes if getattr(values.get(n.output[0]), "ndim", 0) >= 2]
        for name in names[::_EVERY]:
            rank = values[name].ndim
            operands = [] if label == "transpose" else [graph.add_constant(np.array([0], np.int64))]
            attributes = {"perm": [1, 0, *range(2, rank)]} if label == "transpose" else {}
            graph.insert_after(name, "Transpose" if label == "transpose" else "Squeeze", operands, **attributes)
            middle = next(node.input[0] for node in graph.nodes if name in node.output)
            graph.insert_after(middle, "Transpose" if label == "transpose" else "Unsqueeze", operands, **attributes)
        yield Rewritten(label, graph.model)


@rewrite("shape-casts", "integers make a detour by way of int32")
def shape_casts(origin: Origin) -> Iterator[Rewritten]:
    """Shapes and indices that the graph computes."""
    graph, values = Graph.copy(origin.subject.model), origin.subject.values
    outputs = graph.outputs()
    for name in [n.output[0] for n in graph.nodes]:
        if getattr(values.get(name), "dtype", None) == np.int64 and name not in outputs:
            graph.insert_after(name, "Cast", to=TensorProto.INT64)
            middle = next(node.input[0] for node in graph.nodes if name in node.output)
            graph.insert_after(middle, "Cast", to=TensorProto.INT32)
    yield Rewritten("", graph.model)


@rewrite("unused-weight", "a weight that nobody reads is left in the file")
def unused_weight(origin: Origin) -> Iterator[Rewritten]:
    """A small one."""
    graph = Graph.copy(origin.subject.model)
    graph.add_constant(np.ones(3, np.float32), "left_over")
    yield Rewritten("", graph.model)


@rewrite("unused-input", "an input that the source does not read is gone", contract=False)
def unused_input(origin: Origin) -> Iterator[Rewritten]:
    """As some exporters leave it out."""
    graph = Graph.copy(origin.subject.model)
    kept = [value for value in graph.proto.input if graph.consumers(value.name)]
    del graph.proto.input[:]
    graph.proto.input.extend(kept)
    yield Rewritten("", graph.model)


@rewrite("negative-zero", "zeros of the outputs are negative zeros")
def negative_zero(origin: Origin) -> Iterator[Rewritten]:
    """A Where behind each float32 output; weights that are zero likewise."""
    graph = Graph.copy(origin.subject.model)
    for name in graph.outputs():
        if origin.subject.values[name].dtype == np.float32:
            zero, minus = (graph.add_constant(np.array(v, np.float32)) for v in (0.0, -0.0))
            where = graph.insert_after(name, "Where")
            value, test = where.input[0], graph.fresh("is_zero")
            where.input[:] = [test, minus, value]
            equal = helper.make_node("Equal", [value, zero], [test], name=graph.fresh("Equal_node"))
            graph.proto.node.insert(list(graph.nodes).index(where), equal)
    for tensor in list(graph.proto.initializer):
        array = graph.constant(tensor.name)
        if array is not None and is_float(array) and (array == 0).any() and array.ndim >= 2:
            graph.set_constant(tensor.name, np.where(array == 0, -0.0, array).astype(array.dtype))
    yield Rewritten("", graph.model)
