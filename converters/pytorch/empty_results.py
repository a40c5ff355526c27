"""Calls whose results follow from sizes alone: of no elements, or of one number because their tensors have none.

ONNX's rules of shapes forbid many of them, and runtimes differ on the rest (the mean of nothing); here PyTorch says
what they are, before anything is translated.
"""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch.utils import _pytree as pytree

from assay.converters.pytorch.decomposition import copied, gives_outputs_alone, with_graph


def settle(program: torch.export.ExportedProgram) -> torch.export.ExportedProgram:
    """The program with constants in place of such calls; the one given stays as it is."""
    if not gives_outputs_alone(program):
        return program
    results = {node.name: result for node in program.graph.nodes if (result := _result(node)) is not None}
    if not results:
        return program
    graph = copied(program.graph)
    for node in list(graph.nodes):
        if node.name in results:
            _replace(graph, node, *results[node.name])
    graph.eliminate_dead_code()
    return with_graph(program, graph)


def _result(node: torch.fx.Node) -> tuple[torch.Tensor, Any] | None:
    """The tensor that the call gives, as the trace knows it, and the number that fills it."""
    value: Any = node.meta.get("val")
    if node.target is operator.getitem and _is_plain(value):
        return _item(node, value)
    if not isinstance(node.target, torch._ops.OpOverload) or node.target is torch.ops.aten.full.default:
        return None
    if node.target._schema.is_mutable or not _is_plain(value):
        return None
    if any("resize" in str(user.target) for user in node.users):  # gives elements to what has none
        return None
    if value.numel() == 0:
        return value, 0
    number = _number(node)
    return None if number is None else (value, number)


def _item(node: torch.fx.Node, value: torch.Tensor) -> tuple[torch.Tensor, Any] | None:
    """The same of one of several results."""
    if value.numel() == 0:
        return value, 0
    call: Any = node.args[0]
    if not isinstance(call.target, torch._ops.OpOverload) or call.target._schema.is_mutable:
        return None
    number = _number(call, node.args[1])
    return None if number is None else (value, number)


def _is_plain(value: Any) -> bool:
    if not isinstance(value, torch.Tensor) or value.layout is not torch.strided or value.is_complex():
        return False
    return all(isinstance(size, int) for size in value.shape)


def _number(node: torch.fx.Node, index: Any = None) -> Any | None:
    """What fills the result of a call all of whose tensors are without elements; None where it is not one number."""
    inputs = node.all_input_nodes
    values: list[Any] = [other.meta.get("val") for other in inputs]
    if not inputs or not all(_is_plain(value) and value.numel() == 0 for value in values):
        return None

    def real(other: torch.fx.Node) -> torch.Tensor:
        value = other.meta["val"]
        return torch.empty(value.shape, dtype=value.dtype)

    args, kwargs = pytree.tree_map_only(torch.fx.Node, real, (node.args, node.kwargs))
    target: Any = node.target
    result = target(*args, **kwargs)
    numbers = (result if index is None else result[index]).reshape(-1)
    alike = bool((numbers.isnan().all() | (numbers == numbers[0]).all()).item())
    return numbers[0].item() if alike else None


def _replace(graph: torch.fx.Graph, node: torch.fx.Node, value: torch.Tensor, number: Any) -> None:
    filled = bool(number) if value.dtype is torch.bool else number
    with graph.inserting_before(node):
        constant = graph.call_function(
            torch.ops.aten.full.default, (list(value.shape), filled), {"dtype": value.dtype, "device": value.device}
        )
    constant.meta = dict(node.meta)
    node.replace_all_uses_with(constant)
    graph.erase_node(node)
