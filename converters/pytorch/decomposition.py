"""An ``ExportedProgram`` in operators that have a translation: each of the others is replaced where it stands.

``ExportedProgram.run_decompositions`` traces the whole program a second time, which takes a third to a half of an
export; most programs hold a handful of operators that need it. Those are traced one by one, each signature once. A
program that holds what this can't see through (control flow, writes into views) is decomposed by torch as a whole.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

import torch
from torch._dispatch.python import enable_python_dispatcher
from torch.export.graph_signature import ConstantArgument, OutputKind
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

_VALUE = ("val", "tensor_meta")  # what a node knows of its own result
Table = dict[Any, Callable[..., Any]]


class NotLocal(Exception):
    """The program holds something that can't be decomposed where it stands."""


def decompose(program: torch.export.ExportedProgram, known: Set[Any], table: Table) -> torch.export.ExportedProgram:
    """The program in operators that are known, as far as the table can give it; the one given stays as it is."""
    try:
        return _Decomposition(program, known, table).run()
    except NotLocal:
        whole: torch.export.ExportedProgram = program.run_decompositions(table)
        return whole


@dataclass
class _Decomposition:
    program: torch.export.ExportedProgram
    known: Set[Any]
    table: Table
    traced: dict[Any, torch.fx.Graph] = field(default_factory=dict)
    axes: dict[str, tuple[torch.fx.Node, int]] = field(default_factory=dict)
    sizes: dict[str, torch.fx.Node] = field(default_factory=dict)

    def run(self) -> torch.export.ExportedProgram:
        """Every node in turn; raises `NotLocal`."""
        if not gives_outputs_alone(self.program):
            raise NotLocal
        graph = copied(self.program.graph)
        for node in list(graph.nodes):
            self._node(graph, node)
        graph.eliminate_dead_code()
        if any(_writes(node) for node in graph.nodes):  # a body may hold such a one
            raise NotLocal
        return with_graph(self.program, graph)

    def _node(self, graph: torch.fx.Graph, node: torch.fx.Node) -> None:
        if node.op == "placeholder":
            self._note_axes(node)
        if node.op in ("placeholder", "output"):
            return
        if node.op != "call_function":
            raise NotLocal
        if isinstance(node.target, torch._ops.HigherOrderOperator):  # control flow, or a wrapper around a body
            raise NotLocal
        if not isinstance(node.target, torch._ops.OpOverload):  # sizes are computed with Python's own functions
            return
        if _writes(node):
            _write_anew(node)
        if node.target in self.table or (
            _is_composite(node.target) and (node.target not in self.known or _gives_views(node.target))
        ):
            self._replace(graph, node)

    def _replace(self, graph: torch.fx.Graph, node: torch.fx.Node) -> None:
        flat, structure = pytree.tree_flatten((node.args, node.kwargs))
        inputs = [item for item in flat if isinstance(item, torch.fx.Node)]
        key = (node.target, str(structure), *(_signature(item) for item in flat))
        if key not in self.traced:
            self.traced[key] = _trace(node.target, flat, structure, self.table)
        with graph.inserting_before(node):
            result = self._inline(graph, self.traced[key], inputs, node)
        _give_to_users(node, result)
        graph.erase_node(node)  # some operators are kept by their mere possibility of drawing random numbers

    def _inline(
        self, graph: torch.fx.Graph, body: torch.fx.Graph, inputs: list[torch.fx.Node], node: torch.fx.Node
    ) -> Any:
        """Copy the body before the node; gives what stands for its result, a node or a sequence of them."""
        told = {key: value for key, value in node.meta.items() if key not in _VALUE}
        values: dict[torch.fx.Node, torch.fx.Node] = {}
        rest = iter(inputs)
        for inner in body.nodes:
            if inner.op == "placeholder":
                values[inner] = next(rest)
            elif inner.op == "output":
                return pytree.tree_map_only(torch.fx.Node, values.__getitem__, inner.args[0])
            elif inner.target is torch.ops.aten.sym_size.int:
                values[inner] = self._size(graph, inner, values)
            else:
                values[inner] = graph.node_copy(inner, values.__getitem__)
                values[inner].meta = {**told, **{key: inner.meta[key] for key in _VALUE if key in inner.meta}}
        raise AssertionError("a graph ends with its output")

    def _note_axes(self, node: torch.fx.Node) -> None:
        value = node.meta.get("val")
        if isinstance(value, torch.Tensor):
            for axis, size in enumerate(value.shape):
                if isinstance(size, torch.SymInt):
                    self.axes.setdefault(str(size), (node, axis))

    def _size(self, graph: torch.fx.Graph, inner: torch.fx.Node, values: Mapping[Any, torch.fx.Node]) -> torch.fx.Node:
        """One node a size, read off the program's input that has it."""
        told = str(inner.meta["val"])
        if told not in self.sizes:
            tensor: Any = inner.args[0]
            place = self.axes.get(told, (values[tensor], inner.args[1]))
            self.sizes[told] = graph.call_function(inner.target, place)  # type: ignore[arg-type]
            self.sizes[told].meta = {"val": inner.meta["val"]}
        return self.sizes[told]


def copied(graph: torch.fx.Graph) -> torch.fx.Graph:
    """A copy whose nodes keep the names by which the signature knows them; copying renames those like Python's own."""
    twin = copy.deepcopy(graph)
    for own, copied in zip(graph.nodes, twin.nodes, strict=True):
        copied.name = own.name
    return twin


def _is_composite(target: torch._ops.OpOverload) -> bool:
    """Whether torch itself computes the operator from others, in one way on every device.

    Those that may give views (``reshape``, ``unflatten``, ``to``) have translations too, but what torch makes of them
    is simpler and right for empty tensors.
    """
    key = torch._C.DispatchKey.CompositeImplicitAutograd
    return torch._C._dispatch_has_kernel_for_dispatch_key(target.name(), key)


def _writes(node: torch.fx.Node) -> bool:
    return isinstance(node.target, torch._ops.OpOverload) and node.target._schema.is_mutable


def _write_anew(node: torch.fx.Node) -> None:
    """An operator that writes into its first argument becomes the one that gives a new tensor, where none can tell."""
    target: Any = node.target
    name, overload = target._schema.name.removeprefix("aten::"), target._overloadname
    packet = getattr(torch.ops.aten, name.removesuffix("_"), None) if name.endswith("_") else None
    twin = getattr(packet, overload, None)
    written = node.args[0] if node.args else None
    if twin is None or not isinstance(written, torch.fx.Node) or not _same_arguments(target, twin):
        raise NotLocal
    if not _is_fresh(written):
        raise NotLocal
    earlier = [user for user in written.users if user < node]
    if any(_may_alias(user) for user in earlier):
        raise NotLocal
    node.target = twin
    written.replace_all_uses_with(node, delete_user_cb=lambda user: user > node)


def _same_arguments(target: Any, twin: Any) -> bool:
    def told(overload: Any) -> list[tuple[str, str]]:
        return [(a.name, str(a.type)) for a in overload._schema.arguments]

    return told(target) == told(twin)


def _is_fresh(node: torch.fx.Node) -> bool:
    """Made by an operator that gives a tensor of its own."""
    return node.op == "call_function" and not _may_alias(node)


def _may_alias(node: torch.fx.Node) -> bool:
    """Whether what the node gives may share memory with what it takes."""
    if node.target is operator.getitem and isinstance(node.args[0], torch.fx.Node):
        return _may_alias(node.args[0])
    if not isinstance(node.target, torch._ops.OpOverload):
        return node.op != "output"
    if node.target in _MAY_RETURN_ITSELF:
        return True
    return _gives_views(node.target)


def _gives_views(target: torch._ops.OpOverload) -> bool:
    return any(returned.alias_info is not None for returned in target._schema.returns)


# by their schemas these give new tensors, but where there is nothing to do some give what they took
_MAY_RETURN_ITSELF = frozenset(
    getattr(getattr(torch.ops.aten, name), overload)
    for name in ("to", "contiguous", "reshape", "flatten", "dropout", "type_as", "float", "_reshape_alias", "ravel")
    if hasattr(torch.ops.aten, name)
    for overload in getattr(torch.ops.aten, name).overloads()
)


def _signature(item: Any) -> Any:
    """What tells apart two arguments whose decompositions may differ."""
    if not isinstance(item, torch.fx.Node):
        return (type(item), str(item))
    value = item.meta.get("val")
    if isinstance(value, torch.Tensor):
        return (str(value.dtype), str(tuple(value.shape)), str(value.stride()) if value.layout is torch.strided else "")
    return (type(value), str(value))


def _trace(target: Any, flat: list[Any], structure: Any, table: Table) -> torch.fx.Graph:
    values = [item.meta.get("val") for item in flat if isinstance(item, torch.fx.Node)]
    if any(value is None for value in values):
        raise NotLocal
    mode = torch._guards.detect_fake_mode(values)
    if mode is None:
        raise NotLocal

    def call(*given: Any) -> Any:
        rest = iter(given)
        args, kwargs = pytree.tree_unflatten(
            [next(rest) if isinstance(i, torch.fx.Node) else i for i in flat], structure
        )
        result = function(*_mutable(args), **kwargs)
        result = target(*args, **kwargs) if result is NotImplemented else result  # a lowering of some calls alone
        return tuple(result) if isinstance(result, tuple) else result  # a tuple with names would be a call of its own

    function = table.get(target, target)  # torch would compute a composite operator before it looks at the table
    # kernels written in C++ would fix dynamic sizes at those traced; their twins in Python don't
    with mode, enable_python_dispatcher(), torch.no_grad():
        # tensors of one traced body share what stands for their values, and the trace tells its inputs apart by that
        values = [value.detach() if isinstance(value, torch.Tensor) else value for value in values]
        try:
            graph = make_fx(torch.func.functionalize(call), decomposition_table=table)(*values).graph
        except RuntimeError as error:  # views by operators that are not torch's own, sizes that hang on data
            raise NotLocal from error
    if any(node.op == "get_attr" for node in graph.nodes):
        raise NotLocal
    graph.eliminate_dead_code()
    return graph


def _mutable(value: Any) -> Any:
    """With lists that a decomposition may change, as it would those of its caller."""
    if isinstance(value, list):
        return [_mutable(item) for item in value]
    return tuple(map(_mutable, value)) if type(value) is tuple else value


def _give_to_users(node: torch.fx.Node, result: Any) -> None:
    if isinstance(result, torch.fx.Node):
        node.replace_all_uses_with(result)
        return
    for user in list(node.users):
        if user.target is not operator.getitem:
            raise NotLocal
        item = result[user.args[1]]
        if not isinstance(item, torch.fx.Node):
            raise NotLocal
        user.replace_all_uses_with(item)
        node.graph.erase_node(user)


def gives_outputs_alone(program: torch.export.ExportedProgram) -> bool:
    """Whether the program changes no buffer and no input."""
    return all(spec.kind is OutputKind.USER_OUTPUT for spec in program.graph_signature.output_specs)


def with_graph(program: torch.export.ExportedProgram, graph: torch.fx.Graph) -> torch.export.ExportedProgram:
    """The program with another graph of the same inputs; the one given stays as it is."""
    twin = copy.copy(program)
    twin._graph_module = torch.fx.GraphModule(program.graph_module, graph)
    twin._graph_signature = _with_outputs_of(graph, program.graph_signature)
    return twin


def _with_outputs_of(graph: torch.fx.Graph, signature: Any) -> Any:
    """The signature with the names that the graph's outputs have now."""
    outputs = pytree.tree_leaves(graph.output_node().args[0], is_leaf=lambda item: item is None)
    twin = copy.deepcopy(signature)
    for spec, output in zip(twin.output_specs, outputs, strict=True):
        if isinstance(output, torch.fx.Node) and not isinstance(spec.arg, ConstantArgument):
            spec.arg.name = output.name
    return twin
