"""Marks what a Keras layer computes, so that a converter may write one operator for it instead of its parts.

While a model is traced, the layer's computation becomes a function of its own, whose graph carries a `Composite`: which
layer it is, and which argument of the function is what. Weights are arguments as well. The function computes what the
layer does, so whoever does not know the mark has lost nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

MARK = "assay_composite"


@dataclass(frozen=True)
class Composite:
    """What a function's graph computes: ``roles`` names its first arguments, ``settings`` are those of the layer."""

    kind: str
    roles: tuple[str, ...]
    settings: Mapping[str, Any]


def composite_of(graph: Any) -> Composite | None:
    """The mark of a function's graph."""
    found = getattr(graph, MARK, None)
    return found if isinstance(found, Composite) else None


@contextmanager
def marked_layers() -> Iterator[None]:
    """Layers of Keras that are called inside are marked; where Keras is not loaded there are none."""
    keras = sys.modules.get("keras")
    if keras is None or keras.config.backend() != "tensorflow":
        yield
        return
    replaced = [(owner, name, vars(owner)[name]) for owner, name, _ in _places(keras)]
    try:
        for owner, name, maker in _places(keras):
            setattr(owner, name, maker(vars(owner)[name]))
        yield
    finally:
        for owner, name, original in replaced:
            setattr(owner, name, original)


def _places(keras: Any) -> Sequence[tuple[Any, str, Callable[[Any], Any]]]:
    layers = keras.layers
    return (
        (layers.LSTM, "inner_loop", _recurrent),
        (layers.GRU, "inner_loop", _recurrent),
        (layers.RNN, "inner_loop", _recurrent),
        (layers.LayerNormalization, "call", _normalization),
        (layers.RMSNormalization, "call", _normalization),
    )


def _recurrent(original: Any) -> Any:
    """``inner_loop`` of a recurrent layer: its outputs are the last output, all of them, and the states."""

    def inner_loop(self: Any, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
        import keras

        kind = _cell_kind(keras, self.cell)
        states = keras.tree.flatten(initial_state)
        if kind is None or training or _inside() or not _are_tensors(keras, [sequences, *states]):
            return original(self, sequences, initial_state, mask, training)
        masks = [part for part in keras.tree.flatten(mask) if part is not None][:1]
        tensors = {"sequences": sequences, **{f"state_{i}": state for i, state in enumerate(states)}}
        tensors |= {"mask": masks[0]} if masks else {}

        def compute(given: Mapping[str, Any]) -> Any:
            own = keras.tree.pack_sequence_as(initial_state, [given[f"state_{i}"] for i in range(len(states))])
            return original(self, given["sequences"], own, given.get("mask"), training)

        return _marked(keras, kind, tensors, _weights(self.cell), _settings(self, keras), compute)

    return inner_loop


def _cell_kind(keras: Any, cell: Any) -> str | None:
    kinds = {keras.layers.LSTMCell: "lstm", keras.layers.GRUCell: "gru", keras.layers.SimpleRNNCell: "simple_rnn"}
    return kinds.get(type(cell))


def _weights(cell: Any) -> dict[str, Any]:
    named = {name: getattr(cell, name, None) for name in ("kernel", "recurrent_kernel", "bias")}
    return {name: variable for name, variable in named.items() if variable is not None}


def _settings(layer: Any, keras: Any) -> dict[str, Any]:
    cell = layer.cell
    return {
        "activation": _activation(keras, cell.activation),
        "recurrent_activation": _activation(keras, getattr(cell, "recurrent_activation", None)),
        "reset_after": bool(getattr(cell, "reset_after", False)),
        "go_backwards": bool(layer.go_backwards),
        "return_sequences": bool(layer.return_sequences),
        "zero_output_for_mask": bool(layer.zero_output_for_mask),
    }


def _activation(keras: Any, function: Any) -> str | None:
    """The name of one of Keras's own activations as they are without settings."""
    name = getattr(function, "__name__", "")
    return name if name and getattr(keras.activations, name, None) is function else None


def _normalization(original: Any) -> Any:
    """``call`` of a normalization over some axes, with a scale and an offset."""

    def call(self: Any, tensor: Any) -> Any:
        import keras

        own = type(self) in (keras.layers.LayerNormalization, keras.layers.RMSNormalization)
        if not own or _inside() or not _are_tensors(keras, [tensor]) or getattr(self, "rms_scaling", False):
            return original(self, tensor)
        kind = "layer_normalization" if isinstance(self, keras.layers.LayerNormalization) else "rms_normalization"
        named = {"scale": self.gamma, "offset": self.beta} if kind == "layer_normalization" else {"scale": self.scale}
        weights = {role: variable for role, variable in named.items() if variable is not None}
        axes = tuple(keras.tree.flatten(self.axis))
        settings = {"axes": axes, "epsilon": float(self.epsilon)}
        return _marked(
            keras, kind, {"tensor": tensor}, weights, settings, lambda given: original(self, given["tensor"])
        )

    return call


def _inside() -> bool:
    """Whether what is traced belongs to a marked function already."""
    return composite_of(tf.compat.v1.get_default_graph()) is not None if not tf.executing_eagerly() else True


def _are_tensors(keras: Any, values: Sequence[Any]) -> bool:
    return not any(isinstance(value, keras.KerasTensor) for value in values)


def _marked(
    keras: Any,
    kind: str,
    tensors: Mapping[str, Any],
    weights: Mapping[str, Any],
    settings: Mapping[str, Any],
    compute: Callable[[Mapping[str, Any]], Any],
) -> Any:
    """What ``compute`` gives, computed in a function of its own that is marked."""
    given = {role: tf.convert_to_tensor(value) for role, value in tensors.items()}
    given |= {role: tf.convert_to_tensor(variable.value) for role, variable in weights.items()}
    structure: list[Any] = []

    def function(*values: Any) -> list[Any]:
        by_role = dict(zip(given, values, strict=True))
        setattr(tf.compat.v1.get_default_graph(), MARK, Composite(kind, tuple(given), settings))
        with keras.StatelessScope([(variable, by_role[role]) for role, variable in weights.items()]):
            structure.append(compute(by_role))
        return [tf.identity(value) for value in keras.tree.flatten(structure[-1])]

    function.__name__ = kind
    found = tf.function(function, autograph=False)(*given.values())
    return keras.tree.pack_sequence_as(structure[-1], found)
