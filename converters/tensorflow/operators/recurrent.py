"""Recurrent layers of Keras as LSTM, GRU and RNN.

Keras masks single steps: a masked step keeps the state, and its output is the last one's. ONNX only knows lengths. So
the steps that count are moved to the front, in their order, and each step then reads the output of the last one
that counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir
import tensorflow as tf
from numpy.typing import NDArray

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.registry import Call, composes
from assay.converters.tensorflow.tensor import Tensor

_LARGE = np.iinfo(np.int64)


@dataclass(frozen=True)
class Activation:
    """An activation of ONNX's recurrent operators, with its numbers."""

    name: str
    alpha: float | None = None
    beta: float | None = None


_ACTIVATIONS = {
    "tanh": Activation("Tanh"),
    "sigmoid": Activation("Sigmoid"),
    "relu": Activation("Relu"),
    "linear": Activation("Affine", 1.0, 0.0),
    "hard_sigmoid": Activation("HardSigmoid", 1 / 6, 0.5),
    "softsign": Activation("Softsign"),
    "elu": Activation("Elu", 1.0),
}


@dataclass(frozen=True)
class Kind:
    """An operator: where each of its gates lies in Keras's weights, and which activations it names."""

    operator: str
    gates: tuple[int, ...]
    activations: tuple[str, ...]
    states: int = 1


_LSTM = Kind("LSTM", (0, 3, 1, 2), ("recurrent_activation", "activation", "activation"), states=2)
_GRU = Kind("GRU", (0, 1, 2), ("recurrent_activation", "activation"))
_RNN = Kind("RNN", (0,), ("activation",))


@composes("lstm")
def lstm(e: Emitter, op: Operation, call: Call) -> Sequence[Tensor] | None:
    """Gates are i, f, c, o there, and i, o, f, c here."""
    return _recurrent(e, op, call, _LSTM)


@composes("gru")
def gru(e: Emitter, op: Operation, call: Call) -> Sequence[Tensor] | None:
    """Gates are z, r, h in both; the reset gate works after the product or before it."""
    return _recurrent(e, op, call, _GRU)


@composes("simple_rnn")
def simple_rnn(e: Emitter, op: Operation, call: Call) -> Sequence[Tensor] | None:
    """One gate."""
    return _recurrent(e, op, call, _RNN)


def _recurrent(e: Emitter, op: Operation, call: Call, kind: Kind) -> Sequence[Tensor] | None:
    """The last output, all outputs, and the states; None for what the runtime has no kernel for."""
    sequences = call["sequences"]
    activations = [_ACTIVATIONS.get(call.settings[name] or "") for name in kind.activations]
    known = [activation for activation in activations if activation is not None]
    weights = _weights(call, kind)
    if sequences.dtype != "float32" or sequences.rank != 3 or weights is None or len(known) < len(activations):
        return None
    writer = _Writer(e, op, call, kind, weights, known)
    mask = call.get("mask")
    return writer.plain() if mask is None else writer.masked(mask)


@dataclass(frozen=True)
class Weights:
    """Those of one direction, as ONNX has them; ``bias`` holds those of the inputs, then those of the states."""

    kernel: NDArray[Any]
    recurrent: NDArray[Any]
    bias: NDArray[Any] | None
    units: int


def _weights(call: Call, kind: Kind) -> Weights | None:
    kernel, recurrent = call["kernel"].array, call["recurrent_kernel"].array
    bias = call.get("bias")
    if kernel is None or recurrent is None or (bias is not None and bias.array is None):
        return None
    units = recurrent.shape[0]

    def ordered(array: NDArray[Any]) -> NDArray[Any]:
        """The gates along the last axis in ONNX's order, with that axis first."""
        parts = array.T.reshape(-1, units, *array.T.shape[1:])
        return parts[list(kind.gates)].reshape(1, -1, *array.T.shape[1:])

    both = None
    if bias is not None and bias.array is not None:
        inputs, states = bias.array if bias.array.ndim == 2 else (bias.array, np.zeros_like(bias.array))
        both = np.concatenate([ordered(inputs), ordered(states)], 1)
    return Weights(ordered(kernel), ordered(recurrent), both, units)


@dataclass(frozen=True)
class _Writer:
    e: Emitter
    op: Operation
    call: Call
    kind: Kind
    weights: Weights
    activations: Sequence[Activation]

    def plain(self) -> list[Tensor]:
        """Without a mask."""
        backwards = bool(self.call.settings["go_backwards"])
        steps = self.e.logical(self.call["sequences"])
        all_outputs, states = self._node(steps, "reverse" if backwards else "forward", None)
        if not self.call.settings["return_sequences"]:
            return self._results(states[0], None, states)
        whole = self._batch_first(all_outputs)
        return self._results(states[0], self._flipped(whole) if backwards else whole, states)

    def masked(self, mask: Tensor) -> list[Tensor]:
        """With steps that count and steps that do not."""
        e = self.e
        steps, counts = e.logical(self.call["sequences"]), e.logical(mask)
        if mask.dtype != "bool":
            counts = e.node("Cast", [counts], to=ir.DataType.BOOL)
        if mask.rank == 3:
            counts = e.node("Squeeze", [counts, e.ints(2)])
        if self.call.settings["go_backwards"]:
            steps, counts = self._flipped(steps), self._flipped(counts)
        ranks = e.node(
            "CumSum", [e.node("Cast", [counts], to=ir.DataType.INT64), e.constant(np.array(1, np.int64))]
        )  # how many steps have counted so far
        total = e.node("ReduceMax", [ranks, e.ints(1)], keepdims=0) if e.opset >= 18 else self._last(ranks)
        moved = self._to_front(steps, counts, ranks)
        lengths = e.node("Cast", [total], to=ir.DataType.INT32)
        all_outputs, states = self._node(moved, "forward", lengths)
        some = e.node("Unsqueeze", [e.node("Greater", [total, e.constant(np.array(0, np.int64))]), e.ints(1)])
        kept = [e.node("Where", [some, state, self._before(i)]) for i, state in enumerate(states)]
        zero = e.constant(np.array(0, np.float32))
        last = e.node("Where", [some, states[0], zero])
        if self.call.settings["zero_output_for_mask"]:
            last = e.node("Where", [e.node("Unsqueeze", [self._last(counts), e.ints(1)]), last, zero])
        if not self.call.settings["return_sequences"]:
            return self._results(last, None, kept)
        return self._results(last, self._spread(self._batch_first(all_outputs), counts, ranks), kept)

    def _to_front(self, steps: ir.Value, counts: ir.Value, ranks: ir.Value) -> ir.Value:
        """The steps that count at the beginning; what comes behind them is never read."""
        e = self.e
        sizes = e.node("Shape", [counts])
        length = e.node("Slice", [sizes, e.ints(1), e.ints(2), e.ints(0)])
        one, nought = e.constant(np.array(1, np.int64)), e.constant(np.array(0, np.int64))
        behind = e.node("Where", [counts, e.node("Sub", [ranks, one]), length])
        number = e.node("Range", [nought, e.node("Squeeze", [length, e.ints(0)]), one])
        room = e.node("Expand", [nought, e.node("Add", [sizes, e.ints(0, 1)])])
        places = e.node("ScatterElements", [room, behind, e.node("Expand", [number, sizes])], axis=1)
        order = e.node("Slice", [places, e.ints(0), e.ints(-1), e.ints(1)])
        return e.node("GatherND", [steps, e.node("Unsqueeze", [order, e.ints(2)])], batch_dims=1)

    def _spread(self, outputs: ir.Value, counts: ir.Value, ranks: ir.Value) -> ir.Value:
        """Each step has the output of the last one that counted; zeros before the first."""
        e = self.e
        nought = e.constant(np.array(0, np.int64))
        place = e.node("Max", [e.node("Sub", [ranks, e.constant(np.array(1, np.int64))]), nought])
        picked = e.node("GatherND", [outputs, e.node("Unsqueeze", [place, e.ints(2)])], batch_dims=1)
        seen = counts if self.call.settings["zero_output_for_mask"] else e.node("Greater", [ranks, nought])
        return e.node("Where", [e.node("Unsqueeze", [seen, e.ints(2)]), picked, e.constant(np.array(0, np.float32))])

    def _node(self, steps: ir.Value, direction: str, lengths: ir.Value | None) -> tuple[ir.Value, list[ir.Value]]:
        """All outputs [steps, batch, units], and the states [batch, units]."""
        e, weights = self.e, self.weights
        label = self.call["kernel"].label or self.op.name
        constants = (weights.kernel, weights.recurrent, weights.bias)
        names = (label, self.call["recurrent_kernel"].label or label, f"{label}_bias")
        held = [None if a is None else e.constant(a, name=n) for a, n in zip(constants, names, strict=True)]
        alphas = [a.alpha for a in self.activations if a.alpha is not None]
        betas = [a.beta for a in self.activations if a.beta is not None]
        found = e.nodes(
            self.kind.operator,
            _trimmed([e.node("Transpose", [steps], perm=[1, 0, 2]), *held, lengths, *self._first_states()]),
            1 + self.kind.states,
            hidden_size=weights.units,
            direction=direction if direction != "forward" else None,
            activations=[activation.name for activation in self.activations],
            activation_alpha=alphas or None,
            activation_beta=betas or None,
            linear_before_reset=1 if self.call.settings["reset_after"] else None,
        )
        states = [e.node("Squeeze", [state, e.ints(0)]) for state in found[1:]]
        return e.node("Squeeze", [found[0], e.ints(1)]), states

    def _first_states(self) -> list[ir.Value | None]:
        return [
            None if self._is_zero(index) else self.e.node("Unsqueeze", [self._state(index), self.e.ints(0)])
            for index in range(self.kind.states)
        ]

    def _state(self, index: int) -> ir.Value:
        return self.e.logical(self.call[f"state_{index}"])

    def _before(self, index: int) -> ir.Value:
        return self.e.constant(np.array(0, np.float32)) if self._is_zero(index) else self._state(index)

    def _is_zero(self, index: int) -> bool:
        """Whether a state is zeros, as it is where the model gives none."""
        tensor = self.call[f"state_{index}"]
        if tensor.array is not None:
            return not tensor.array.any() and tensor.array.shape[0] != 1
        place = list(self.call.tensors).index(f"state_{index}")
        return _is_filled_with_zero(self.op.tf.inputs[place])

    def _batch_first(self, value: ir.Value) -> ir.Value:
        return self.e.node("Transpose", [value], perm=[1, 0, 2])

    def _flipped(self, value: ir.Value) -> ir.Value:
        e = self.e
        return e.node("Slice", [value, e.ints(_LARGE.max), e.ints(_LARGE.min), e.ints(1), e.ints(-1)])

    def _last(self, value: ir.Value) -> ir.Value:
        return self.e.node("Gather", [value, self.e.constant(np.array(-1, np.int64))], axis=1)

    def _results(self, last: ir.Value, outputs: ir.Value | None, states: Sequence[ir.Value]) -> list[Tensor]:
        op, sequences = self.op, self.call["sequences"]
        batch, units = sequences.dim(0), self.weights.units
        if outputs is None:
            outputs, steps = self.e.node("Unsqueeze", [last, self.e.ints(1)]), 1
        else:
            steps = sequences.dim(1)  # type: ignore[assignment]
        first = [op.result(last, (batch, units)), op.result(outputs, (batch, steps, units), index=1)]
        return first + [op.result(state, (batch, units), index=index + 2) for index, state in enumerate(states)]


def _is_filled_with_zero(tensor: Any) -> bool:
    while tensor.op.type in ("Identity", "Cast"):
        tensor = tensor.op.inputs[0]
    if tensor.op.type != "Fill":
        return False
    content = tf.get_static_value(tensor.op.inputs[1])
    return content is not None and not np.any(content)


def _trimmed(values: Sequence[ir.Value | None]) -> list[ir.Value | None]:
    """Without what is missing at the end."""
    kept = list(values)
    while kept and kept[-1] is None:
        kept.pop()
    return kept
