"""Marks what a Keras layer computes, so that a converter may write one operator for it instead of its parts.

While a model is traced, the layer's computation becomes a function of its own, whose graph carries a `Composite`: which
layer it is, and which argument of the function is what. Weights are arguments as well. The function computes what the
layer does, so whoever does not know the mark has lost nothing.
"""

from __future__ import annotations

import inspect
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
        (layers.GroupNormalization, "call", _group_normalization),
        (layers.MultiHeadAttention, "_compute_attention", _attention),
        (layers.GroupQueryAttention, "_compute_attention", _attention),
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


def _group_normalization(original: Any) -> Any:
    """``call`` of a normalization over groups of channels."""

    def call(self: Any, inputs: Any) -> Any:
        import keras

        if type(self) is not keras.layers.GroupNormalization or _inside() or not _are_tensors(keras, [inputs]):
            return original(self, inputs)
        named = {"scale": self.gamma if self.scale else None, "offset": self.beta if self.center else None}
        weights = {role: variable for role, variable in named.items() if variable is not None}
        settings = {"axis": int(self.axis), "groups": int(self.groups), "epsilon": float(self.epsilon)}
        return _marked(
            keras,
            "group_normalization",
            {"tensor": inputs},
            weights,
            settings,
            lambda given: original(self, given["tensor"]),
        )

    return call


def _attention(original: Any) -> Any:
    """``_compute_attention`` of MultiHeadAttention or GroupQueryAttention: of heads [batch, length, heads, size]."""

    signature = inspect.signature(original)

    def compute_attention(self: Any, *args: Any, **options: Any) -> Any:
        import keras

        given = signature.bind(self, *args, **options)
        asked = given.arguments
        heads = {role: asked[role] for role in ("query", "key", "value")}
        own = type(self) in (keras.layers.MultiHeadAttention, keras.layers.GroupQueryAttention)
        if not own or _inside() or not _are_tensors(keras, [*heads.values()]) or not _is_plain(keras, self, asked):
            return original(self, *args, **options)
        repeats, tensors = _shared_heads(heads, int(getattr(self, "num_repeats", 1)))
        tensors |= {"mask": asked["attention_mask"]} if asked.get("attention_mask") is not None else {}

        def compute(found: Mapping[str, Any]) -> Any:
            again = {role: tf.repeat(found[role], repeats, 2) for role in ("key", "value")} if repeats > 1 else {}
            asked.update({role: found[role] for role in heads} | again)
            asked.update({"attention_mask": found["mask"]} if "mask" in found else {})
            return original(*given.args, **given.kwargs)[0]

        scale = getattr(self, "_inverse_sqrt_key_dim", None) or self._inverse_sqrt_head_dim
        dropout = getattr(self, "_dropout", 0.0) or getattr(self, "dropout", 0.0)
        causal = bool(asked.get("use_causal_mask"))
        settings = {"scale": float(scale), "causal": causal, "zero_where_all_is_masked": dropout > 0.0}
        return _marked(keras, "attention", tensors, {}, settings, compute), None

    return compute_attention


def _is_plain(keras: Any, layer: Any, asked: Mapping[str, Any]) -> bool:
    """Whether scores stay inside, and a mask, if there is one, is all that masks."""
    mask = asked.get("attention_mask")
    clear = mask is None or (not asked.get("use_causal_mask") and keras.backend.standardize_dtype(mask.dtype) == "bool")
    scores = asked.get("return_attention_scores") or getattr(layer, "_return_attention_scores", False)
    return clear and not scores and not asked.get("training") and len(asked["query"].shape) == 4


def _shared_heads(heads: Mapping[str, Any], repeats: int) -> tuple[int, dict[str, Any]]:
    """How often heads of keys and values are to be repeated, and these before that, if they are found."""
    before = {role: _before_repeat(heads[role]) for role in ("key", "value")} if repeats > 1 else {}
    if not before or any(tensor is None for tensor in before.values()):
        return 1, dict(heads)
    return repeats, {**heads, **before}


def _before_repeat(tensor: Any) -> Any | None:
    """The heads that ``keras.ops.repeat`` has repeated; None where it is not found."""
    for kind in ("Reshape", "Tile", "ExpandDims"):
        if tensor.op.type != kind:
            return None
        tensor = tensor.op.inputs[0]
    return tensor


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
