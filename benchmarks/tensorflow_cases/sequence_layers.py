"""Layers of Keras over time: recurrence and attention."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorflow_cases.case import Case
from tensorflow_cases.layer_case import called, layer, made_of

TIME, FIXED = "f4[a,t,3]", "f4[a,6,3]"
KINDS = ("LSTM", "GRU", "SimpleRNN")


def cases() -> list[Case]:
    """All of them."""
    return [*_recurrent(), *_gates(), *_both_directions(), *_cells(), *_masked(), *_convolutional(), *_attention()]


def _recurrent() -> list[Case]:
    options: tuple[dict[str, Any], ...] = (
        {},
        {"return_sequences": True},
        {"return_state": True},
        {"return_sequences": True, "go_backwards": True},
        {"go_backwards": True},
        {"use_bias": False},
        {"activation": "relu"},
        {"activation": "gelu"},
        {"dropout": 0.3, "recurrent_dropout": 0.3},
        {"dtype": "float64"},
    )
    made = [layer(TIME, name, 4, **chosen) for name in KINDS for chosen in options]
    return [*made, *(layer(FIXED, name, 4, unroll=True) for name in KINDS), *(_with_state(name) for name in KINDS)]


def _with_state(name: str) -> Case:
    def function(inputs: list[Any]) -> Any:
        whole = made_of(name, 4, return_sequences=True, return_state=True).build()
        return whole(inputs[0], initial_state=inputs[1:])

    states = " f4[a,4]" * (2 if name == "LSTM" else 1)
    return called(f"{name}(4, initial_state)", TIME + states, function)


def _gates() -> list[Case]:
    return [
        layer(TIME, "LSTM", 4, recurrent_activation="hard_sigmoid"),
        layer(TIME, "LSTM", 4, implementation=1),
        layer(TIME, "LSTM", 4, unit_forget_bias=False, activation="softsign"),
        layer(TIME, "GRU", 4, reset_after=False),
        layer(TIME, "GRU", 4, reset_after=False, return_sequences=True, recurrent_activation="hard_sigmoid"),
        layer("f4[2,6,3]", "LSTM", 4, stateful=True),
        layer("f4[2,6,3]", "GRU", 4, stateful=True, return_sequences=True),
    ]


def _both_directions() -> list[Case]:
    merges = ("concat", "sum", "mul", "ave")
    return [
        *(layer(TIME, "Bidirectional", made_of(name, 4)) for name in KINDS),
        *(layer(TIME, "Bidirectional", made_of("LSTM", 4, return_sequences=True), merge_mode=m) for m in merges),
        layer(TIME, "Bidirectional", made_of("GRU", 4, return_sequences=True, return_state=True)),
        layer(TIME, "Bidirectional", made_of("LSTM", 4), merge_mode=None),
    ]


def _cells() -> list[Case]:
    return [
        layer(TIME, "RNN", made_of("LSTMCell", 4)),
        layer(TIME, "RNN", made_of("GRUCell", 4), return_sequences=True),
        layer(TIME, "RNN", made_of("SimpleRNNCell", 4), return_state=True),
        layer(TIME, "RNN", [made_of("LSTMCell", 4), made_of("GRUCell", 3)]),
        layer(TIME, "RNN", made_of("StackedRNNCells", [made_of("GRUCell", 4), made_of("GRUCell", 4)])),
        layer(FIXED, "RNN", [made_of("SimpleRNNCell", 4)], unroll=True, return_sequences=True),
        layer(TIME, "TimeDistributed", made_of("Dense", 2)),
        layer("f4[a,3,8,9,2]", "TimeDistributed", made_of("Conv2D", 3, 3)),
    ]


def _masked() -> list[Case]:
    def embedded(name: str, **options: Any) -> Callable[[list[Any]], Any]:
        def function(inputs: list[Any]) -> Any:
            vectors = made_of("Embedding", 6, 3, mask_zero=True).build()(inputs[0])
            return made_of(name, 4, **options).build()(vectors)

        return function

    text = "i4[a,t]:small"
    made = [
        called(f"masked {name}(4, {options})", text, embedded(name, **options))
        for name in KINDS
        for options in ({}, {"return_sequences": True}, {"go_backwards": True}, {"zero_output_for_mask": True})
    ]
    made.append(called("masked GRU(4, gelu)", text, embedded("GRU", activation="gelu", return_sequences=True)))
    return made


def _convolutional() -> list[Case]:
    return [
        layer("f4[a,4,8,2]", "ConvLSTM1D", 3, 3),
        layer("f4[a,4,8,2]", "ConvLSTM1D", 3, 3, padding="same", return_sequences=True),
        layer("f4[a,4,8,9,2]", "ConvLSTM2D", 3, 3),
        layer("f4[a,t,8,9,2]", "ConvLSTM2D", 3, 3, padding="same", return_sequences=True),
        layer("f4[a,4,8,9,2]", "ConvLSTM2D", 3, 3, strides=2, padding="same", return_state=True),
        layer("f4[a,3,6,7,5,2]", "ConvLSTM3D", 2, 3, padding="same"),
    ]


def _attention() -> list[Case]:
    two, three = "f4[a,t,8] f4[a,5,8]", "f4[a,t,8] f4[a,5,8] f4[a,5,8]"
    return [
        layer(two, "Attention"),
        layer(three, "Attention", use_scale=True),
        layer(two, "Attention", score_mode="concat"),
        layer(two, "AdditiveAttention"),
        layer(three, "AdditiveAttention", use_scale=False),
        called("Attention(causal)", "f4[a,t,8]", lambda x: _attended("Attention", x, use_causal_mask=True)),
        called("MultiHeadAttention(2, 4)", "f4[a,t,8]", lambda x: _attended("MultiHeadAttention", x, 2, 4)),
        called("MultiHeadAttention(2, 4) cross", two, lambda x: _attended("MultiHeadAttention", x, 2, 4)),
        called(
            "MultiHeadAttention(2, 4, causal)",
            "f4[a,t,8]",
            lambda x: _attended("MultiHeadAttention", x, 2, 4, use_causal_mask=True),
        ),
        called(
            "MultiHeadAttention(2, 4, value_dim=3)",
            two,
            lambda x: _attended("MultiHeadAttention", x, 2, 4, value_dim=3, use_bias=False),
        ),
        called(
            "MultiHeadAttention(mask)",
            "f4[a,6,8] b1[a,6,6]",
            lambda x: _attended("MultiHeadAttention", x[:1], 2, 4, attention_mask=x[1]),
        ),
        called(
            "MultiHeadAttention(scores)",
            two,
            lambda x: _attended("MultiHeadAttention", x, 2, 4, return_attention_scores=True),
        ),
        called("GroupQueryAttention(4, 4, 2)", "f4[a,t,8]", lambda x: _attended("GroupQueryAttention", x, 4, 4, 2)),
        called(
            "GroupQueryAttention(4, 4, 2, causal)",
            "f4[a,t,8]",
            lambda x: _attended("GroupQueryAttention", x, 4, 4, 2, use_causal_mask=True),
        ),
    ]


_OF_THE_CALL = ("use_causal_mask", "attention_mask", "return_attention_scores")


def _attended(name: str, inputs: list[Any], *args: Any, **options: Any) -> Any:
    """An attention layer's call: of one input with itself, or of two."""
    here = {key: options.pop(key) for key in _OF_THE_CALL if key in options}
    whole = made_of(name, *args, **options).build()
    if name == "Attention":
        return whole([inputs[0], inputs[-1]], **here)
    return whole(inputs[0], inputs[-1], **here)
