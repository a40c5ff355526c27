"""tf2onnx: what it gets wrong on its own is refused, mended, or kept out of the bytes."""

from __future__ import annotations

from pathlib import Path

import keras
import onnx
import pytest
import tensorflow as tf
from judging import Faithful

from assay import AssayError, convert


def test_an_operator_that_onnx_does_not_have_ends_the_conversion(tmp_path: Path) -> None:
    function = tf.function(lambda image: tf.image.resize(image, [4, 4], antialias=True))
    with pytest.raises(AssayError, match="operators that ONNX does not have: ScaleAndTranslate"):
        convert(function, tmp_path / "b", inputs={"image": "float32[batch,8,8,3]"}, exporter="tf2onnx")


def test_an_exact_gelu_becomes_one_that_a_runtime_knows(faithful: Faithful) -> None:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, "gelu")])
    assert "Erf" in {node.op_type for node in onnx.load(faithful(model, exporter="tf2onnx").model).graph.node}


def test_neither_a_temporary_path_nor_a_counter_is_left_in_the_model(tmp_path: Path) -> None:
    function = tf.function(lambda x: tf.tanh(x) + 1)
    model = onnx.load(convert(function, tmp_path / "b", inputs={"x": "float32[batch,6]"}, exporter="tf2onnx").model)
    assert (model.doc_string, model.graph.doc_string, model.graph.name) == ("", "", "model")
