"""While as Loop: what does not change stays outside, and a list that grows by one element a turn is a scan output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir
import tensorflow as tf

from assay.converters.tensorflow.conversion import HangsOnRefusal, function_graph
from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation, onnx_dtype
from assay.converters.tensorflow.operators.tensor_lists import dense, of_dense
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.subgraphs import outputs
from assay.converters.tensorflow.tensor import Dim, Shape, Symbol, Tensor, constant, merged
from assay.converters.tensorflow.tensor_list import Collector, TensorList, fixed, handle

_ADDING = ("TensorListSetItem", "TensorListPushBack")
_PASSING = ("Identity", "StopGradient", "PreventGradient")


@handles("While", "StatelessWhile")
def loop(e: Emitter, op: Operation) -> Sequence[Tensor]:
    """The shapes of what goes round are taken to stay as they are; where the body shows otherwise, as unknown."""
    turns = Turns.of(op)
    plan = [_role(op, turns, index) for index in range(len(op.inputs))]
    starts = [_start(e, turns, index) if role == "carried" else None for index, role in enumerate(plan)]
    for tensor in op.inputs:
        if tensor.array is None and tensor.forms:
            e.logical(tensor)
    writer = _Writer(e, op, turns, plan, starts)
    kept = [start.shape if start is not None else None for start in starts]
    count = len(op.conversion.refusals)
    written = writer.write(kept, assumed=True)
    if written is None:
        del op.conversion.refusals[count:]
        written = writer.write([_known(op, turns, index) for index in range(len(plan))], assumed=False)
    if written is None:
        raise HangsOnRefusal
    return written


@dataclass(frozen=True, eq=False)
class Turns:
    """The functions of a loop, and what is seen of how often it turns.

    ``count`` is how often, where the condition says that one or more counters from 0 are below the same bound.
    """

    op: Operation
    condition: Any
    body: Any
    count: Dim | None
    limit: Tensor | None

    @staticmethod
    def of(op: Operation) -> Turns:
        """Those of a While operation."""
        condition, body = function_graph(op.tf, "cond"), function_graph(op.tf, "body")
        turns = Turns(op, condition, body, None, None)
        bounds = turns._bounds(_origin(condition.outputs[0]))
        if bounds is None:
            return turns
        sizes = [bound.sizes[0] for bound in bounds if bound.sizes]
        if len(sizes) < len(bounds):
            return turns
        if all(isinstance(size, int) for size in sizes):
            least = min(range(len(sizes)), key=lambda index: sizes[index])  # type: ignore[arg-type,return-value]
            return Turns(op, condition, body, max(sizes[least], 0), bounds[least])  # type: ignore[type-var]
        same = all(size is sizes[0] for size in sizes)
        return Turns(op, condition, body, sizes[0], bounds[0]) if same else turns

    def step(self, index: int) -> int | None:
        """By how much a counter grows in each turn; None for what is none."""
        output = _origin(self.body.outputs[index])
        if output.op.type not in ("AddV2", "Add", "Sub") or not output.dtype.is_integer or output.shape.rank != 0:
            return None
        for here, other in ((0, 1), (1, 0)) if output.op.type != "Sub" else ((0, 1),):
            if _origin(output.op.inputs[here]) is self.body.inputs[index]:
                number = self._constant(output.op.inputs[other])
                return None if number is None else -number if output.op.type == "Sub" else number
        return None

    def invariant(self, index: int) -> bool:
        """Whether the body gives on what it gets."""
        return _origin(self.body.outputs[index]) is self.body.inputs[index]

    def adding(self, index: int) -> Any:
        """The body's operation that adds an element to a list which nothing else in the loop reads; None for none."""
        place, output = self.body.inputs[index], _origin(self.body.outputs[index])
        readers = [operation for operation in place.consumers() if operation.outputs]
        adds = output.op.type in _ADDING and output.op.inputs[0] is place and readers == [output.op]
        return output.op if adds and not self.condition.inputs[index].consumers() else None

    def place(self, tensor: Any) -> int | None:
        """Which of the body's arguments a tensor is."""
        found = _origin(tensor)
        return next((index for index, given in enumerate(self.body.inputs) if given is found), None)

    def _constant(self, tensor: Any) -> int | None:
        origin = _origin(tensor)
        place = self.place(origin)
        if place is not None and self.invariant(place) and self.op.inputs[place].array is not None:
            return int(self.op.inputs[place].array)  # type: ignore[arg-type]
        content = tf.get_static_value(origin)
        return None if content is None or np.ndim(content) else int(content)

    def _bounds(self, asked: Any) -> list[Tensor] | None:
        """What counters from 0 stay below; None where the condition asks anything else."""
        if asked.op.type == "LogicalAnd":
            parts = [self._bounds(_origin(part)) for part in asked.op.inputs]
            return None if any(part is None for part in parts) else [bound for part in parts for bound in part or []]
        if asked.op.type != "Less":
            return None
        counter, bound = (_origin(part) for part in asked.op.inputs)
        places = {id(given): index for index, given in enumerate(self.condition.inputs)}
        at, limit = places.get(id(counter)), places.get(id(bound))
        if at is None or self.step(at) != 1 or self.op.inputs[at].array is None or int(self.op.inputs[at].array) != 0:  # type: ignore[arg-type]
            return None
        if limit is not None:
            return [self.op.inputs[limit]] if self.invariant(limit) else None
        content = tf.get_static_value(bound)
        return None if content is None else [constant(np.asarray(content), bound.dtype.name)]


def _origin(tensor: Any) -> Any:
    """The tensor behind operations that pass it on."""
    while tensor.op.type in _PASSING:
        tensor = tensor.op.inputs[0]
    return tensor


def _role(op: Operation, turns: Turns, index: int) -> str:
    """How a variable of the loop is written: ``invariant``, ``carried``, or how its list grows."""
    if turns.invariant(index):
        return "invariant"
    if op.inputs[index].dtype == "resource":
        raise RefusedError("changes in its body which resource it uses")
    content = op.inputs[index].resource
    if op.inputs[index].dtype != "variant":
        return "carried"
    if not isinstance(content, TensorList):
        raise RefusedError("carries a handle that is no list")
    adding = turns.adding(index)
    return "carried" if adding is None or content.dense is not None else _growth(op, turns, content, adding)


def _growth(op: Operation, turns: Turns, content: TensorList, adding: Any) -> str:
    """Whether elements come in the order of the turns, against it, or all to one place."""
    if adding.type == "TensorListPushBack":
        return "appended" if content.size == 0 else "carried"
    at = adding.inputs[1]
    place = turns.place(at)
    start = None if place is None else op.inputs[place]
    if start is not None and place is not None and not turns.invariant(place):
        step, first = turns.step(place), start.sizes[0] if start.sizes else None
        if step == 1 and first == 0:
            growing = adding.get_attr("resize_if_index_out_of_bounds")
            return "forward" if not growing else "appended" if content.size == 0 else "carried"
        return "backward" if step == -1 and isinstance(content.size, int) and first == content.size - 1 else "carried"
    number = turns._constant(at)
    return "last" if number == 0 and content.size == 1 else "carried"


def _start(e: Emitter, turns: Turns, index: int) -> Tensor:
    """What a variable holds before the first turn."""
    tensor = turns.op.inputs[index]
    content = tensor.resource
    if not isinstance(content, TensorList):
        return tensor
    if content.dense is None and content.static_element is None:
        shape = _written_shape(turns, index)
        content = TensorList(content.dtype, shape, content.length, None)
    return dense(e, content)


def _written_shape(turns: Turns, index: int) -> Shape | None:
    """The shape of what the body writes to a list."""
    writers = [operation for operation in turns.body.inputs[index].consumers() if operation.type in _ADDING]
    shapes = [operation.inputs[-1].shape for operation in writers]
    return tuple(shapes[0]) if shapes and shapes[0].is_fully_defined() else None


def _known(op: Operation, turns: Turns, index: int) -> Shape | None:
    """What TensorFlow knows of the shape of a variable in any turn."""
    content = op.inputs[index].resource
    if isinstance(content, TensorList):
        element = content.element or _written_shape(turns, index)
        return None if element is None else (Symbol(), *element)
    shape = turns.body.inputs[index].shape
    return None if shape.rank is None else merged(None, tuple(shape))


@dataclass(frozen=True, eq=False)
class _Writer:
    """Writes the Loop for one assumption about the shapes of what goes round."""

    e: Emitter
    op: Operation
    turns: Turns
    plan: Sequence[str]
    starts: Sequence[Tensor | None]

    def write(self, shapes: Sequence[Shape | None], *, assumed: bool) -> list[Tensor] | None:
        """The outputs; None where the body breaks the assumption, or hangs on a refusal."""
        e = self.e
        asked = self._asked(self._outside())
        with e.body() as nodes:
            turn = ir.Value(name=e.unique("turn"), type=ir.TensorType(ir.DataType.INT64), shape=ir.Shape([]))
            going = ir.Value(name=e.unique("going"), type=ir.TensorType(ir.DataType.BOOL), shape=ir.Shape([]))
            places, arguments = self._arguments(shapes)
            found = self.op.conversion.convert(self.turns.body, arguments, self.op.inner_prefix)
            tensors = [tensor for tensor in found if tensor is not None]
            if len(tensors) < len(found) or (assumed and not self._holds(tensors, shapes)):
                return None
            again = e.node("Identity", [going]) if self._counted else self._asked(self._next(tensors, arguments))
            if again is None or asked is None:
                return None
            carried = [self._content(tensors[index]) for index in self._indices("carried")]
            scans = [tensors[index].resource.value for index in self._scans]
            given = outputs(e, nodes, [e.tensor(again, "bool", ()), *carried, *scans])
            _tell_shapes(given[len(given) - len(scans) :], scans)
        graph = ir.Graph([turn, going, *places], given, nodes=nodes, name=e.unique("body"))
        first = [e.logical(start) for start in self.starts if start is not None]
        limit = e.int64(self.turns.limit) if self._counted and self.turns.limit is not None else None
        values = e.nodes("Loop", [limit, asked, *first], len(carried) + len(scans), body=graph)
        return self._results(values, tensors, shapes)

    @property
    def _counted(self) -> bool:
        return self.turns.limit is not None

    @property
    def _scans(self) -> list[int]:
        return [index for index, role in enumerate(self.plan) if role not in ("invariant", "carried")]

    def _indices(self, role: str) -> list[int]:
        return [index for index, its in enumerate(self.plan) if its == role]

    def _outside(self) -> list[Tensor]:
        return [
            handle(_collector(tensor)) if index in self._scans else tensor
            for index, tensor in enumerate(self.op.inputs)
        ]

    def _asked(self, tensors: Sequence[Tensor]) -> ir.Value | None:
        """Whether to go on; None where that hangs on a refusal."""
        if self._counted:
            return self.e.constant(np.array(True))
        (found,) = self.op.conversion.convert(self.turns.condition, tensors, self.op.inner_prefix)
        if found is None:
            return None
        value = self.e.logical(found)
        return value if found.dtype == "bool" else self.e.node("Cast", [value], to=ir.DataType.BOOL)

    def _next(self, tensors: Sequence[Tensor], arguments: Sequence[Tensor]) -> list[Tensor]:
        return [arguments[i] if i in self._scans else tensor for i, tensor in enumerate(tensors)]

    def _arguments(self, shapes: Sequence[Shape | None]) -> tuple[list[ir.Value], list[Tensor]]:
        """The Loop's own inputs, and what the body's function gets."""
        places, arguments = [], []
        for index, (tensor, role) in enumerate(zip(self.op.inputs, self.plan, strict=True)):
            if role == "invariant":
                arguments.append(tensor)
            elif role == "carried":
                value, argument = self._variable(index, shapes[index])
                places.append(value)
                arguments.append(argument)
            else:
                arguments.append(handle(_collector(tensor)))
        return places, arguments

    def _variable(self, index: int, shape: Shape | None) -> tuple[ir.Value, Tensor]:
        start = self.starts[index]
        assert start is not None
        value = ir.Value(name=self.e.unique("variable"), type=ir.TensorType(onnx_dtype(start.dtype)))
        if shape is not None and fixed(shape) is not None:
            value.shape = ir.Shape([dim for dim in shape if isinstance(dim, int)])
        tensor = self.e.tensor(value, start.dtype, shape)
        content = self.op.inputs[index].resource
        return value, handle(of_dense(self.e, tensor)) if isinstance(content, TensorList) else tensor

    def _content(self, tensor: Tensor) -> Tensor:
        return dense(self.e, tensor.resource) if isinstance(tensor.resource, TensorList) else tensor

    def _holds(self, tensors: Sequence[Tensor], shapes: Sequence[Shape | None]) -> bool:
        """Whether what the body gives has the shapes that it was told to get."""
        return all(_covers(shapes[i], self._content(tensors[i]).shape) for i in self._indices("carried"))

    def _results(
        self, values: Sequence[ir.Value], tensors: Sequence[Tensor], shapes: Sequence[Shape | None]
    ) -> list[Tensor]:
        given = iter(values)
        results = list(self.op.inputs)
        for index in self._indices("carried"):
            results[index] = self._carried(index, next(given), shapes[index])
        for index in self._scans:
            results[index] = handle(self._scanned(index, next(given), tensors[index].resource.value))
        return results

    def _carried(self, index: int, value: ir.Value, shape: Shape | None) -> Tensor:
        start = self.starts[index]
        if not isinstance(self.op.inputs[index].resource, TensorList) or start is None:
            return self.op.result(value, shape, index=index)
        return handle(of_dense(self.e, self.e.tensor(value, start.dtype, shape)))

    def _scanned(self, index: int, value: ir.Value, added: Tensor) -> TensorList:
        """The list that a scan output is, in its order and of its length."""
        e, content, role = self.e, self.op.inputs[index].resource, self.plan[index]
        assert isinstance(content, TensorList)
        turns = self.turns.count
        element = added.shape
        if role == "backward":
            last, step = np.iinfo(np.int64), e.ints(-1)
            value = e.node("Slice", [value, e.ints(last.max), e.ints(last.min), e.ints(0), step])
        if role == "last":
            value = e.node("Slice", [value, e.ints(-1), e.ints(np.iinfo(np.int64).max), e.ints(0)])
        size = content.size if role != "appended" else Symbol() if turns is None else turns
        unsure = role == "last" and fixed(element) is not None and not (isinstance(turns, int) and turns > 0)
        if unsure or (role in ("forward", "backward") and not _same(turns, content.size)):
            value = self._padded(value, content, added, role == "backward")
        whole = e.tensor(value, content.dtype, None if element is None else (size, *element))
        return of_dense(e, whole, element)

    def _padded(self, value: ir.Value, content: TensorList, added: Tensor, before: bool) -> ir.Value:
        """Elements that no turn has written are zeros."""
        e = self.e
        if added.rank is None:
            raise RefusedError("leaves elements of a list unwritten whose rank is not known")
        sizes = e.node("Shape", [value], start=0, end=1)
        missing = e.node("Sub", [e.node("Reshape", [e.int64(content.length), e.ints(1)]), sizes])
        nothing = e.ints(*[0] * added.rank)
        parts = [missing, nothing, e.ints(0), nothing] if before else [e.ints(0), nothing, missing, nothing]
        zero = e.constant(np.zeros((), added.dtype_numpy))
        return e.node("Pad", [value, e.node("Concat", parts, axis=0), zero])


def _tell_shapes(values: Sequence[ir.Value], tensors: Sequence[Tensor]) -> None:
    """What a loop without a turn gives is as wide as its body's outputs are known to be."""
    for value, tensor in zip(values, tensors, strict=True):
        known = fixed(tensor.shape)
        if known is not None:
            value.shape = ir.Shape(known)


def _collector(tensor: Tensor) -> Collector:
    return Collector(tensor.resource.dtype, tensor.resource.element)


def _covers(told: Shape | None, given: Shape | None) -> bool:
    """Whether every shape of the second kind is one of the first."""
    if told is None:
        return True
    return given is not None and len(told) == len(given) and all(map(_same, told, given))


def _same(a: Dim | None, b: Dim) -> bool:
    return a is b or (isinstance(a, int) and a == b)
