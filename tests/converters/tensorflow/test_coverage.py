"""What is told of a source before it is converted."""

from __future__ import annotations

from typing import Any

import keras
import pytest
import tensorflow as tf

from assay.converters.explanation import CONSTANT, HANGING, REFUSED, WRITTEN, Coverage, Explanation, explain
from assay.converters.exporter import ConvertError
from assay.converters.sources import open_source


def of(function: Any, *specs: Any, **options: Any) -> Explanation:
    return explain(open_source(tf.function(function, input_signature=specs, autograph=False)), **options)


def the(explanation: Explanation, operator: str) -> Coverage:
    [found] = [one for one in explanation.operators if one.operator == operator]
    return found


FLOATS, TEXTS = tf.TensorSpec([None, 3], tf.float32), tf.TensorSpec([None], tf.string)


def test_each_operator_is_told_with_what_stands_for_it() -> None:
    found = of(lambda x: tf.nn.relu(x) + tf.nn.relu(-x), FLOATS)
    assert found.covered
    relu = the(found, "Relu")
    assert (relu.state, relu.count, relu.onnx) == (WRITTEN, 2, {"Relu": 2})
    assert (the(found, "Neg").count, the(found, "AddV2").onnx) == (1, {"Add": 1})


def test_a_refused_operator_is_told_with_reason_and_line() -> None:
    found = of(lambda x: tf.math.zeta(x, x) + 1.0, FLOATS)
    assert not found.covered
    zeta = the(found, "Zeta")
    assert (found.operators[0], zeta.state, zeta.reason) == (zeta, REFUSED, "has no handler")
    assert zeta.places[0].node.endswith("Zeta")
    assert zeta.places[0].line.startswith("test_coverage.py:")
    assert the(found, "AddV2").state == HANGING
    assert the(found, "Const").state == CONSTANT


def test_what_hangs_on_a_refusal_and_has_no_handler_is_refused_as_well() -> None:
    found = of(lambda x: tf.math.igamma(tf.math.zeta(x, x), x), FLOATS)
    assert [one.operator for one in found.operators if one.state == REFUSED] == ["Igamma", "Zeta"]


def test_branches_are_looked_into() -> None:
    found = of(lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: tf.sin(x), lambda: tf.math.zeta(x, x)), FLOATS)
    assert (the(found, "Sin").onnx, the(found, "Zeta").state) == ({"Sin": 1}, REFUSED)


def test_a_layer_with_an_operator_of_its_own_is_named() -> None:
    place = keras.Input((5, 4))
    found = explain(open_source(keras.Model(place, keras.layers.LSTM(3)(place))))
    assert the(found, "PartitionedCall of lstm").onnx["LSTM"] == 1


def test_an_exporter_that_cannot_tell_says_so() -> None:
    source = open_source(tf.function(lambda x: x, input_signature=[FLOATS]))
    with pytest.raises(ConvertError, match="tf2onnx can't tell what it covers before it converts"):
        explain(source, exporter="tf2onnx")
