"""Conditions and loops of TensorFlow 1, whose operations pass dead values along; today's are functions."""

from __future__ import annotations

from collections.abc import Sequence

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Tensor

LOOPS = frozenset({"Enter", "RefEnter", "Exit", "RefExit", "NextIteration", "RefNextIteration", "LoopCond"})
_AGAIN = "save it again after tf.compat.v1.enable_control_flow_v2()"


@handles("Switch", "RefSwitch", "Merge", "RefMerge")
def condition(_emitter: Emitter, _op: Operation) -> Sequence[Tensor]:
    """One of two branches, of which the other is dead."""
    raise RefusedError(f"is part of a condition of TensorFlow 1's control flow; {_AGAIN}")


@handles(*LOOPS)
def loop(_emitter: Emitter, _op: Operation) -> Sequence[Tensor]:
    """A frame of a loop, which is a cycle in the graph."""
    raise RefusedError(f"is part of a loop of TensorFlow 1's control flow; {_AGAIN}")
