"""Recurrent layers become one operator each, whatever their mask; what no operator can say becomes a Loop."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from agreement import Converted, converted, random

L = keras.layers


def model_of(layer: Any, shape: tuple[int | None, ...], **options: Any) -> Converted:
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input(shape), layer])
    for weight in model.weights:  # biases are zeros in a new model, and would hide a mistake
        weight.assign(np.random.default_rng(0).standard_normal(weight.shape).astype(np.float32) * 0.5)
    return converted(lambda: None, model=model, **options)


def masks(*shape: int) -> np.ndarray:
    """Steps with masked ones at the beginning, in the middle and at the end, one sequence without any, one of masked
    ones only."""
    steps = random(*shape)
    steps[0, 0], steps[0, 2], steps[0, -1] = 0.0, 0.0, 0.0
    steps[1] = 0.0
    return steps


def masked_model(layer: Any) -> Converted:
    """A recurrent layer behind a Masking layer."""
    place = keras.Input((None, 3))
    model = keras.Model(place, layer(L.Masking()(place)))
    for weight in model.weights:
        weight.assign(np.random.default_rng(0).standard_normal(weight.shape).astype(np.float32) * 0.5)
    return converted(lambda: None, model=model)


KINDS = {"LSTM": L.LSTM, "GRU": L.GRU, "RNN": L.SimpleRNN}


@pytest.mark.parametrize("operator", KINDS)
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
def test_a_layer_is_one_operator(operator: str, backwards: bool, sequences: bool) -> None:
    model = model_of(KINDS[operator](4, go_backwards=backwards, return_sequences=sequences), (None, 3))
    assert model.operators[operator] == 1
    assert "Loop" not in model.operators
    for shape in ((1, 1, 3), (2, 5, 3), (3, 4, 3)):
        model.assert_agrees(random(*shape), ulps=64)


@pytest.mark.parametrize("operator", KINDS)
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("options", [{}, {"return_sequences": True}, {"return_state": True}])
def test_masked_steps_keep_the_state(operator: str, backwards: bool, options: dict[str, bool]) -> None:
    model = masked_model(KINDS[operator](4, go_backwards=backwards, **options))
    assert model.operators[operator] == 1
    model.assert_agrees(masks(3, 6, 3), ulps=64)
    model.assert_agrees(masks(2, 3, 3), ulps=64)


@pytest.mark.parametrize("operator", KINDS)
def test_outputs_of_masked_steps_may_be_zeros(operator: str) -> None:
    layer = KINDS[operator](4, return_sequences=True, zero_output_for_mask=True)
    masked_model(layer).assert_agrees(masks(3, 6, 3), ulps=64)


@pytest.mark.parametrize("operator", KINDS)
def test_states_come_in_and_go_out(operator: str) -> None:
    count = 2 if operator == "LSTM" else 1
    places = [keras.Input((None, 3)), *[keras.Input((4,)) for _ in range(count)]]
    found = KINDS[operator](4, return_sequences=True, return_state=True)(places[0], initial_state=places[1:])
    model = converted(lambda: None, model=keras.Model(places, found))
    assert model.operators[operator] == 1
    model.assert_agrees(random(2, 5, 3), *[random(2, 4, seed=i) for i in range(count)], ulps=64)


@pytest.mark.parametrize("reset_after", [False, True])
@pytest.mark.parametrize("use_bias", [False, True])
def test_the_reset_gate_before_and_after(reset_after: bool, use_bias: bool) -> None:
    model = model_of(L.GRU(4, reset_after=reset_after, use_bias=use_bias), (None, 3))
    assert model.operators["GRU"] == 1
    model.assert_agrees(random(2, 5, 3), ulps=64)


@pytest.mark.parametrize("activation", ["relu", "linear", "hard_sigmoid", "softsign", "elu", "sigmoid"])
def test_activations_that_the_operators_have(activation: str) -> None:
    for layer in (
        L.LSTM(4, activation=activation, recurrent_activation="hard_sigmoid"),
        L.GRU(4, activation=activation, recurrent_activation=activation),
        L.SimpleRNN(4, activation=activation),
    ):
        model = model_of(layer, (None, 3))
        assert "Loop" not in model.operators
        model.assert_agrees(random(2, 5, 3) * 0.3, ulps=64)


def test_an_activation_that_no_operator_has_makes_a_loop() -> None:
    model = model_of(L.SimpleRNN(4, activation="exponential"), (None, 3))
    assert model.operators["Loop"] == 1
    model.assert_agrees(random(2, 5, 3) * 0.1, ulps=256)


@pytest.mark.parametrize("merge", ["concat", "sum", "ave", "mul"])
def test_both_directions(merge: str) -> None:
    model = model_of(L.Bidirectional(L.LSTM(4, return_sequences=True), merge_mode=merge), (None, 3))
    assert model.operators["LSTM"] == 2
    model.assert_agrees(random(2, 5, 3), ulps=64)


def test_unrolled_layers() -> None:
    model = model_of(L.GRU(4, unroll=True, return_sequences=True), (5, 3))
    assert model.operators["GRU"] == 1
    model.assert_agrees(random(2, 5, 3), ulps=64)


def test_cells_in_a_layer_of_any_cell() -> None:
    model = model_of(L.RNN(L.LSTMCell(4), return_sequences=True), (None, 3))
    assert model.operators["LSTM"] == 1
    model.assert_agrees(random(2, 5, 3), ulps=64)


def test_stacked_cells_are_a_loop() -> None:
    model = model_of(L.RNN([L.LSTMCell(4), L.GRUCell(5)], return_sequences=True), (None, 3))
    assert model.operators["Loop"] == 1
    model.assert_agrees(random(2, 5, 3), ulps=64)


def test_a_stateful_layer_begins_where_it_was_converted() -> None:
    place = keras.Input(batch_shape=(2, 5, 3))
    model = keras.Model(place, L.LSTM(4, stateful=True)(place))
    model(random(2, 5, 3, seed=7))
    source = converted(lambda: None, model=model)
    source.assert_agrees(random(2, 5, 3), ulps=64)
    source.assert_agrees(random(2, 5, 3), ulps=64)  # running the source has moved nothing


def test_layers_that_share_their_weights() -> None:
    a, b = keras.Input((None, 3)), keras.Input((None, 3))
    layer = L.LSTM(4)
    model = converted(lambda: None, model=keras.Model([a, b], layer(a) - layer(b)))
    assert model.operators["LSTM"] == 2
    model.assert_agrees(random(2, 5, 3), random(2, 4, 3, seed=1), ulps=64)
