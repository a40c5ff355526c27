"""Walks a TensorFlow graph from its outputs, and has each operation written by its handler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tensorflow.python.framework.function_def_to_graph import function_def_to_graph

from assay.converters.passes.record_source_lines import MODULE, SOURCE_LINE
from assay.converters.tensorflow import folding
from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.registry import COMPLEX, SHORTCUTS, Handler, RefusedError, load_handlers
from assay.converters.tensorflow.source_lines import origin_of
from assay.converters.tensorflow.tensor import Tensor, constant

_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall", "IdentityN", "If", "StatelessIf", "ReadVariableOp"})
_BACK = ("NextIteration", "RefNextIteration")  # where a loop of TensorFlow 1 closes its cycle


@dataclass(frozen=True)
class Refusal:
    """An operation that can't be converted, and why; ``layer`` and ``line`` say where it comes from, if known."""

    operator: str
    name: str
    reason: str
    layer: str = ""
    line: str = ""

    def __str__(self) -> str:
        place = f"{self.name}, {self.line}" if self.line else self.name
        return f"{self.operator} ({place}) {self.reason}"


class Conversion:
    """One conversion: its graph so far, the variables by their handles, and what was refused."""

    def __init__(self, emitter: Emitter, variables: Mapping[int, str]) -> None:
        self.emitter = emitter
        self.refusals: list[Refusal] = []
        self._labels = variables
        self._read: dict[int, Tensor] = {}
        self._handlers = load_handlers()

    def convert(self, graph: Any, arguments: Sequence[Tensor | None], prefix: str = "") -> list[Tensor | None]:
        """The outputs of a function's graph for these arguments; None for one that hangs on a refusal."""
        tensors: dict[str, Tensor | None] = dict(zip((tensor.name for tensor in graph.inputs), arguments, strict=True))
        for operation in _ordered(graph.outputs, set(tensors)):
            if operation.outputs and operation.outputs[0].name in tensors:
                continue
            inputs = [tensors[tensor.name] for tensor in _inputs(operation)]
            for tensor, found in zip(operation.outputs, self._outputs(operation, inputs, prefix), strict=True):
                tensors[tensor.name] = found
        return [tensors[tensor.name] for tensor in graph.outputs]

    def call(self, operation: Operation, name: str, arguments: Sequence[Tensor]) -> list[Tensor]:
        """The outputs of the function that this attribute of the operation names; raises `HangsOnRefusal`."""
        function = function_graph(operation.tf, name)
        found = self.convert(function, arguments, f"{operation.name}/")
        if any(tensor is None for tensor in found):
            raise HangsOnRefusal
        return [tensor for tensor in found if tensor is not None]

    def variable(self, handle: Any, dtype: Any) -> Tensor:
        """The content of a variable, read in place and once."""
        if id(handle) not in self._read:
            array = folding.read_variable(handle, dtype)
            self._read[id(handle)] = constant(array, dtype.name, self._labels.get(id(handle), ""))
        return self._read[id(handle)]

    def _outputs(self, operation: Any, inputs: Sequence[Tensor | None], prefix: str) -> Sequence[Tensor | None]:
        nothing: list[Tensor | None] = [None] * len(operation.outputs)
        given = [tensor for tensor in inputs if tensor is not None]
        try:
            if len(given) < len(inputs):
                self._pass_over(operation)
                return nothing
            return self._converted(operation, given, prefix)
        except HangsOnRefusal:
            return nothing
        except RefusedError as refused:
            origin = origin_of(operation, prefix)
            layer, line = origin.get(MODULE, ""), origin.get(SOURCE_LINE, "")
            self.refusals.append(Refusal(operation.type, prefix + operation.name, refused.reason, layer, line))
            return nothing

    def _pass_over(self, operation: Any) -> None:
        """An operation that hangs on a refusal is not tried, but refused as well where nothing could be tried."""
        tried = operation.type in folding.PASSED_ON or _shortcut(operation) is not None
        if not tried and self._handler(operation) is None:
            raise RefusedError("has no handler")

    def _handler(self, operation: Any) -> Handler | None:
        """By the operator's name; complex numbers have handlers of their own, calls aside."""
        plain = self._handlers.get(operation.type)
        if not _is_complex(operation) or operation.type in _CALLS:
            return plain
        return COMPLEX.get(operation.type)

    def _converted(self, operation: Any, inputs: list[Tensor], prefix: str) -> Sequence[Tensor]:
        handler = _shortcut(operation)
        if handler is None:
            folded = folding.fold(operation, inputs)
            if folded is not None:
                return folded
            handler = self._handler(operation)
        if handler is None:
            raise RefusedError("has no handler")
        with self.emitter.named(prefix + operation.name, origin_of(operation, prefix)):
            found = handler(self.emitter, Operation(operation, inputs, self.emitter, self))
        outputs = [found] if isinstance(found, Tensor) else list(found)
        for tensor in outputs:
            _settle(tensor)
        return outputs


def _is_complex(operation: Any) -> bool:
    return any(tensor.dtype.is_complex for tensor in (*operation.inputs, *operation.outputs))


class HangsOnRefusal(Exception):
    """An operation whose inputs were refused; told at the one that refused."""


def function_graph(operation: Any, attribute: str) -> Any:
    """The graph of the function that an attribute of the operation names."""
    return function_of(operation, operation.get_attr(attribute).name)


def function_of(operation: Any, name: str) -> Any:
    """The graph of the function of this name."""
    holder, function = operation.graph, operation.graph._get_function(name)
    while function is None:
        holder = holder.outer_graph
        function = holder._get_function(name)
    graph = getattr(function, "graph", None)
    if graph is not None:
        return graph
    with holder.as_default():  # where a function of TensorFlow 1 finds those that it calls
        return function_def_to_graph(function.definition)


def _inputs(operation: Any) -> Sequence[Any]:
    """What the operation's handler gets: its inputs, or those of the operations that are converted with it."""
    if operation.type in _BACK:
        return ()
    pattern, _ = SHORTCUTS.get(operation.type, (None, None))
    found = None if pattern is None else pattern(operation)
    return operation.inputs if found is None else found


def _shortcut(operation: Any) -> Handler | None:
    """The handler of the operation and of others before it, where there is one."""
    pattern, handler = SHORTCUTS.get(operation.type, (None, None))
    return None if pattern is None or pattern(operation) is None else handler


def _settle(tensor: Tensor) -> None:
    """Sizes that are all known are a constant."""
    if tensor.array is None and tensor.sizes is not None and tensor.rank is not None and tensor.rank < 2:
        numbers = [size for size in tensor.sizes if isinstance(size, int)]
        if len(numbers) == len(tensor.sizes):
            tensor.array = np.array(numbers, tensor.dtype).reshape(() if tensor.rank == 0 else (-1,))


def _ordered(outputs: Sequence[Any], known: set[str]) -> Iterator[Any]:
    """Every operation that an output depends on, each after those that it depends on."""
    done: set[str] = set()
    for output in outputs:
        waiting = [(output.op, False)] if output.name not in known else []
        while waiting:
            operation, entered = waiting.pop()
            if entered:
                yield operation
            elif operation.name not in done:
                done.add(operation.name)
                waiting.append((operation, True))
                needed = (tensor for tensor in reversed(_inputs(operation)) if tensor.name not in known)
                waiting += [(tensor.op, False) for tensor in needed if tensor.op.name not in done]
