"""Keras through its torch backend: the same model, by another exporter; what can't go that way is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import keras_models
import pytest
import tensorflow as tf
from judging import Faithful, described

from assay import AssayError, convert

EXPORTER = "torch.onnx.keras"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["functional", "named_layers", "tokens"])
def test_a_model_is_the_same_that_way(faithful: Faithful, name: str) -> None:
    inputs = {"ids": "int64[batch,sequence] in 0..99"} if name == "tokens" else None
    faithful(getattr(keras_models, name)(), inputs, exporter=EXPORTER)


@pytest.mark.slow
def test_names_axes_and_exporter_are_those_of_the_source(faithful: Faithful) -> None:
    inputs, outputs = described(faithful(keras_models.functional(), exporter=EXPORTER))
    assert inputs == {"left": "float32[batch,6]", "right": "float32[batch,4]"}
    assert outputs == {"score": "float32[batch,3]", "hidden": "float32[batch,2]"}


class Unregistered(keras.layers.Layer):  # type: ignore[misc]
    """A layer that another process does not know."""

    def call(self, x: Any) -> Any:
        return x + 1


@pytest.mark.slow
def test_a_layer_that_the_other_process_does_not_know_is_a_reason(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((6,)), Unregistered()])
    with pytest.raises(AssayError, match="Unregistered"):
        convert(model, tmp_path / "b", exporter=EXPORTER)
    assert not (tmp_path / "b").exists()


def test_a_function_is_no_keras_model(tmp_path: Path) -> None:
    function = tf.function(lambda x: tf.tanh(x))
    with pytest.raises(AssayError, match="takes a keras, but this is a tf-function"):
        convert(function, tmp_path / "b", inputs={"x": "float32[batch,6]"}, exporter=EXPORTER)
