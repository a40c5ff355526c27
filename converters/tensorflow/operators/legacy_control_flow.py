"""Conditions and loops of TensorFlow 1, whose operations pass dead values along; today's are functions.

A condition is read back from its Merge: what lies between the Switches of one predicate and an input of the Merge is a
branch. Loops are cycles in the graph, and are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation, origin
from assay.converters.tensorflow.operators.control_flow import between, called
from assay.converters.tensorflow.registry import RefusedError, handles, shortens
from assay.converters.tensorflow.tensor import Tensor, constant

_LOOPS = ("Enter", "RefEnter", "Exit", "RefExit", "NextIteration", "RefNextIteration", "LoopCond")
_OUTSIDE = ("Placeholder", "PlaceholderWithDefault")
_AGAIN = "save it again after tf.compat.v1.enable_control_flow_v2()"


@dataclass(frozen=True)
class _Branch:
    """One branch, in the form of a function's graph: from outputs of Switches to an input of the Merge."""

    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    side: int

    @property
    def arguments(self) -> list[Any]:
        """What the Switches pass on."""
        return [tensor.op.inputs[0] for tensor in self.inputs]


@dataclass(frozen=True)
class _Condition:
    """The predicate, and the branch taken where it is false, then the one where it is true."""

    predicate: Any
    branches: tuple[_Branch, _Branch]

    @property
    def tensors(self) -> list[Any]:
        """What a condition is computed from."""
        return [self.predicate, *(tensor for branch in self.branches for tensor in branch.arguments)]


class _NotAConditionError(Exception):
    """A Merge that is not understood."""


def _condition(merge: Any) -> _Condition | None:
    """The condition that ends in this Merge; None where it is part of a loop, or of another form."""
    try:
        branches = sorted((_branch(tensor) for tensor in merge.inputs), key=lambda branch: branch.side)
    except _NotAConditionError:
        return None
    asked = (origin(tensor.op.inputs[1]) for branch in branches for tensor in branch.inputs)
    predicates = {tensor.name: tensor for tensor in asked}
    plain = len(predicates) == 1 and [branch.side for branch in branches] == [0, 1]
    if not plain or merge.outputs[1].consumers():
        return None
    return _Condition(next(iter(predicates.values())), (branches[0], branches[1]))


def _branch(end: Any) -> _Branch:
    found: dict[str, Any] = {}
    seen: set[str] = set()
    waiting = [end]
    while waiting:
        tensor = waiting.pop()
        if tensor.name in seen:
            continue
        seen.add(tensor.name)
        if tensor.op.type == "Switch":
            found[tensor.name] = tensor
        else:
            waiting += _before(tensor.op)
    sides = {tensor.value_index for tensor in found.values()}
    if len(sides) != 1:
        raise _NotAConditionError
    return _Branch(tuple(found.values()), (end,), sides.pop())


def _before(operation: Any) -> Iterator[Any]:
    """What an operation of a branch is computed from; one of nothing belongs to the branch that it waits for."""
    if operation.type in _LOOPS or operation.type in _OUTSIDE:
        raise _NotAConditionError
    if operation.type == "Merge":
        inner = _condition(operation)
        if inner is None:
            raise _NotAConditionError
        yield from inner.tensors
    elif operation.inputs:
        yield from operation.inputs
    else:
        yield from (tensor for control in operation.control_inputs for tensor in control.outputs)


def tensors_of_condition(merge: Any) -> Sequence[Any] | None:
    """The tensors that the condition which ends in this Merge is computed from."""
    found = _condition(merge)
    return None if found is None else found.tensors


@shortens("Merge", tensors_of_condition)
def condition(e: Emitter, op: Operation) -> Sequence[Tensor]:
    """One of two branches; where it is known which, that one alone."""
    found = _condition(op.tf)
    assert found is not None
    given: Mapping[str, Tensor] = dict(zip((tensor.name for tensor in found.tensors), op.inputs, strict=True))
    asked = op.inputs[0]
    arguments = [[given[tensor.name] for tensor in branch.arguments] for branch in found.branches]
    if asked.array is not None:
        taken = bool(asked.array)
        value = called(op, found.branches[taken], arguments[taken])
    else:
        value = between(e, op, asked, (found.branches[1], arguments[1]), (found.branches[0], arguments[0]))
    return [value[0], constant(np.array(0, np.int32), "int32")]


@handles("Switch", "RefSwitch", "Merge", "RefMerge")
def other_condition(_emitter: Emitter, _op: Operation) -> Sequence[Tensor]:
    """A part of a condition that could not be read back."""
    raise RefusedError(f"is part of a condition of TensorFlow 1's control flow; {_AGAIN}")


@handles(*_LOOPS)
def loop(_emitter: Emitter, _op: Operation) -> Sequence[Tensor]:
    """A frame of a loop, which is a cycle in the graph."""
    raise RefusedError(f"is part of a loop of TensorFlow 1's control flow; {_AGAIN}")
