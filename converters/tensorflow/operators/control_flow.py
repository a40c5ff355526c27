"""Conditions: If and Case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.conversion import HangsOnRefusal, function_of
from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.tensor_lists import dense, of_dense
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.subgraphs import outputs
from assay.converters.tensorflow.tensor import Shape, Symbol, Tensor
from assay.converters.tensorflow.tensor_list import TensorList, handle

Branch = Callable[[], Sequence[Tensor]]


@handles("If", "StatelessIf")
def condition(e: Emitter, op: Operation) -> Sequence[Tensor]:
    """One of two functions; both see what is around them."""
    asked, arguments = op.inputs[0], op.inputs[1:]
    if asked.array is not None:
        taken = bool(asked.array) if asked.array.ndim == 0 else asked.array.size > 0
        return called(op, _named(op, "then_branch" if taken else "else_branch"), arguments)
    branches = (_named(op, "then_branch"), _named(op, "else_branch"))
    return between(e, op, asked, *((graph, arguments) for graph in branches))


def between(e: Emitter, op: Operation, asked: Tensor, *branches: tuple[Any, Sequence[Tensor]]) -> list[Tensor]:
    """An If of two graphs with their arguments, the first of which is taken where the answer is true."""
    if asked.rank != 0 or asked.dtype == "string":
        raise RefusedError("asks a condition that is no scalar of numbers")
    for _, arguments in branches:
        _prepare(e, arguments)
    going = e.logical(asked)
    if asked.dtype != "bool":
        going = e.node("Cast", [going], to=ir.DataType.BOOL)
    return _either(e, op, going, *(_branch(op, graph, arguments) for graph, arguments in branches))


@handles("Case", "StatelessCase")
def case(e: Emitter, op: Operation) -> Sequence[Tensor]:
    """One of several functions by number; any other number means the last."""
    index, arguments = op.inputs[0], op.inputs[1:]
    graphs = [function_of(op.tf, branch.name) for branch in op.tf.get_attr("branches")]
    if index.array is not None:
        number = int(index.array)
        return called(op, graphs[number if 0 <= number < len(graphs) else -1], arguments)
    _prepare(e, arguments)
    chosen = e.logical(index)

    def from_number(number: int) -> Sequence[Tensor]:
        if number == len(graphs) - 1:
            return called(op, graphs[number], arguments)
        going = e.node("Equal", [chosen, e.constant(np.array(number, np.int32))])
        return _either(e, op, going, _branch(op, graphs[number], arguments), lambda: from_number(number + 1))

    return from_number(0)


def _named(op: Operation, attribute: str) -> Any:
    return function_of(op.tf, op.tf.get_attr(attribute).name)


def called(op: Operation, graph: Any, arguments: Sequence[Tensor]) -> list[Tensor]:
    """What a graph gives for these arguments; raises `HangsOnRefusal`."""
    found = op.conversion.convert(graph, arguments, op.inner_prefix)
    if any(tensor is None for tensor in found):
        raise HangsOnRefusal
    return [tensor for tensor in found if tensor is not None]


def _branch(op: Operation, graph: Any, arguments: Sequence[Tensor]) -> Branch:
    return lambda: called(op, graph, arguments)


def _prepare(e: Emitter, tensors: Sequence[Tensor]) -> None:
    """What is turned for a subgraph is turned once, outside; what nobody reads is removed in the end."""
    for tensor in tensors:
        if tensor.array is None and tensor.forms:
            e.logical(tensor)


def _either(e: Emitter, op: Operation, going: ir.Value, first: Branch, second: Branch) -> list[Tensor]:
    """Both branches as subgraphs of one If; a refusal in one does not hide those in the other."""
    made: list[tuple[ir.Graph, list[Tensor]]] = []
    refused = False
    for branch in (first, second):
        try:
            made.append(_subgraph(e, branch))
        except HangsOnRefusal:
            refused = True
    if refused:
        raise HangsOnRefusal
    (then_graph, then_tensors), (else_graph, else_tensors) = made
    values = e.nodes("If", [going], len(then_tensors), then_branch=then_graph, else_branch=else_graph)
    return [
        _merged(e, op, index, value, pair)
        for index, (value, *pair) in enumerate(zip(values, then_tensors, else_tensors, strict=True))
    ]


def _subgraph(e: Emitter, branch: Branch) -> tuple[ir.Graph, list[Tensor]]:
    with e.body() as nodes:
        tensors = list(branch())
        given = outputs(e, nodes, [_content(e, tensor) for tensor in tensors])
    return ir.Graph([], given, nodes=nodes, name=e.unique("branch")), tensors


def _content(e: Emitter, tensor: Tensor) -> Tensor:
    """Lists cross as the tensors that they are held in."""
    if tensor.dtype not in ("variant", "resource"):
        return tensor
    if not isinstance(tensor.resource, TensorList):
        raise RefusedError("gives a handle that no subgraph can give")
    return dense(e, tensor.resource)


def _merged(e: Emitter, op: Operation, index: int, value: ir.Value, pair: Sequence[Tensor]) -> Tensor:
    if not isinstance(pair[0].resource, TensorList):
        return op.result(value, common(pair[0].shape, pair[1].shape), index=index)
    lists = [tensor.resource for tensor in pair]
    element = common(lists[0].element, lists[1].element)
    size = common((lists[0].size,), (lists[1].size,)) or (Symbol(),)
    whole = e.tensor(value, lists[0].dtype, None if element is None else (*size, *element))
    return handle(of_dense(e, whole, element))


def common(a: Shape | None, b: Shape | None) -> Shape | None:
    """What two shapes have in common; an axis in which they differ is a new symbol."""
    if a is None or b is None or len(a) != len(b):
        return None
    return tuple(x if x is y or (isinstance(x, int) and x == y) else Symbol() for x, y in zip(a, b, strict=True))
