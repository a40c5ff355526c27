"""Attention layers are one operator from opset 23 on, whatever their mask, and their parts before."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from agreement import Converted, converted, random

L = keras.layers
OPSETS = (23, 28)


def attended(layer: Any, width: int = 8, *, opset: int, masked: bool = False, **options: Any) -> Converted:
    """A layer that attends to a sequence of its own, or with a mask of that sequence."""
    keras.utils.set_random_seed(1)
    places = [keras.Input((None, width)), *([keras.Input((None, None), dtype="bool")] if masked else [])]
    model = keras.Model(places, layer(places[0], places[0], attention_mask=places[1] if masked else None, **options))
    for weight in model.weights:  # biases are zeros in a new model, and would hide a mistake
        if "kernel" in weight.path or "bias" in weight.path:
            weight.assign(np.random.default_rng(0).standard_normal(weight.shape).astype(np.float32) * 0.5)
    found = converted(lambda: None, model=model, opset=opset)
    assert ("Attention" in found.operators) == (opset >= 23)
    assert ("Softmax" in found.operators) == (opset < 23)
    return found


LAYERS = {
    "one head": lambda: L.MultiHeadAttention(1, 4),
    "three heads": lambda: L.MultiHeadAttention(3, 4),
    "values of another size": lambda: L.MultiHeadAttention(2, 4, value_dim=3),
    "without biases": lambda: L.MultiHeadAttention(2, 4, use_bias=False),
    "with dropout": lambda: L.MultiHeadAttention(2, 4, dropout=0.5),
    "shared heads": lambda: L.GroupQueryAttention(4, 4, 2),
    "one shared head": lambda: L.GroupQueryAttention(4, 4, 1),
    "no shared heads": lambda: L.GroupQueryAttention(4, 2, 2),
    "shared heads with dropout": lambda: L.GroupQueryAttention(4, 4, 2, dropout=0.1),
}


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("causal", [False, True])
def test_a_layer_without_a_mask(layer: str, causal: bool, opset: int) -> None:
    model = attended(LAYERS[layer](), opset=opset, use_causal_mask=causal)
    for shape in ((1, 1, 8), (2, 5, 8), (3, 4, 8)):
        model.assert_agrees(random(*shape), ulps=32)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("causal", [False, True])
def test_a_mask_that_leaves_some_rows_nothing(layer: str, causal: bool, opset: int) -> None:
    model = attended(LAYERS[layer](), opset=opset, masked=True, use_causal_mask=causal)
    mask = np.random.default_rng(0).random((3, 5, 5)) < 0.5
    mask[0, 2], mask[1] = False, False
    model.assert_agrees(random(3, 5, 8), mask, ulps=32)


def test_the_parts_before_opset_23() -> None:
    mask = np.random.default_rng(0).random((3, 5, 5)) < 0.5
    attended(L.MultiHeadAttention(2, 4), opset=20, masked=True).assert_agrees(random(3, 5, 8), mask, ulps=32)
    attended(L.GroupQueryAttention(4, 4, 2), opset=20, masked=True).assert_agrees(random(3, 5, 8), mask, ulps=32)


def test_shared_heads_are_not_repeated() -> None:
    model = attended(L.GroupQueryAttention(4, 6, 2), opset=23)
    (node,) = [node for node in model.model.graph if node.op_type == "Attention"]
    assert (node.attributes["q_num_heads"].value, node.attributes["kv_num_heads"].value) == (6, 2)
    assert not {"Tile", "Expand"} & set(model.operators)


@pytest.mark.parametrize("opset", [20, *OPSETS])
def test_queries_and_keys_of_two_lengths_and_masks_of_padding(opset: int) -> None:
    keras.utils.set_random_seed(1)
    words, other = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    queries, keys = (L.Embedding(9, 8, mask_zero=True)(place) for place in (words, other))
    found = L.MultiHeadAttention(2, 4)(queries, keys)
    model = converted(lambda: None, model=keras.Model([words, other], found), opset=opset)
    assert ("Attention" in model.operators) == (opset >= 23)
    model.assert_agrees(
        np.array([[1, 2, 0], [0, 0, 0], [4, 5, 6]], np.int32),
        np.array([[3, 0, 2, 1], [4, 5, 0, 0], [0, 0, 0, 0]], np.int32),
        ulps=32,
    )


def test_scores_that_are_asked_for_and_half_types_stay_the_parts() -> None:
    place = keras.Input((None, 8))
    scores = L.MultiHeadAttention(2, 4)(place, place, return_attention_scores=True)
    halves = L.MultiHeadAttention(2, 4, dtype="float64")(place, place)
    windowed = L.MultiHeadAttention(2, 4)(L.Reshape((-1, 2, 8))(place), L.Reshape((-1, 2, 8))(place))
    for outputs in (scores, halves, windowed):
        model = converted(lambda: None, model=keras.Model(place, outputs), opset=23)
        assert "Attention" not in model.operators
        model.assert_agrees(random(2, 6, 8), ulps=32)


def test_a_layer_of_a_class_of_its_own_is_its_parts() -> None:
    class Doubled(keras.layers.MultiHeadAttention):  # type: ignore[misc]
        def _compute_attention(self, *args: Any, **options: Any) -> Any:
            output, scores = super()._compute_attention(*args, **options)
            return output * 2.0, scores

    place = keras.Input((None, 8))
    model = converted(lambda: None, model=keras.Model(place, Doubled(2, 4)(place, place)), opset=23)
    assert "Attention" not in model.operators
    model.assert_agrees(random(2, 6, 8), ulps=32)


@pytest.mark.parametrize("shape", [(0, 4, 8), (2, 0, 8)])
def test_nothing_to_attend_to_is_right_in_parts_and_an_error_of_the_operator(shape: tuple[int, ...]) -> None:
    attended(L.MultiHeadAttention(2, 4), opset=20).assert_agrees(random(*shape))
    model = attended(L.MultiHeadAttention(2, 4), opset=23)
    with pytest.raises(Exception, match="Attention node"):  # never a number; an axis of an interface begins at 1
        model.run(random(*shape))
