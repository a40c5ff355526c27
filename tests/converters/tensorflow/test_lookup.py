"""Hash tables."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from agreement import converted


def table(keys: list[Any], values: list[Any], default: Any, dtypes: tuple[Any, Any]) -> Any:
    initializer = tf.lookup.KeyValueTensorInitializer(keys, values, *dtypes)
    return tf.lookup.StaticHashTable(initializer, default)


WORDS = np.array([["a", "b c"], ["", "ß"]], object)


def test_words_to_numbers() -> None:
    words = table(["a", "ß", "x"], [3, 5, 7], -1, (tf.string, tf.int64))
    model = converted(lambda x: words.lookup(x), tf.TensorSpec([None, 2], tf.string, "x"))
    assert model.operators["LabelEncoder"] == 1
    model.assert_agrees(WORDS)


def test_numbers_to_words() -> None:
    numbers = table([3, -5], ["three", "minus five"], "?", (tf.int64, tf.string))
    model = converted(lambda x: numbers.lookup(x), tf.TensorSpec([None], tf.int64, "x"))
    assert model.run(np.array([3, 4, -5]))[0].tolist() == ["three", "?", "minus five"]


@pytest.mark.parametrize(("key", "value"), [(tf.int32, tf.int32), (tf.int64, tf.int32), (tf.int64, tf.float32)])
def test_numbers_to_numbers(key: Any, value: Any) -> None:
    numbers = table([3, -5, 0], [1, 2, 9], 4, (key, value))
    model = converted(lambda x: numbers.lookup(x), tf.TensorSpec([None], key, "x"))
    model.assert_agrees(np.array([3, 4, -5, 0], key.as_numpy_dtype))


def test_the_number_of_keys_is_known() -> None:
    words = table(["a", "b"], [3, 5], -1, (tf.string, tf.int64))
    model = converted(lambda x: words.size() + x, tf.TensorSpec([None], tf.int64, "x"))
    model.assert_agrees(np.array([1, 2]))


def test_a_string_lookup_layer() -> None:
    place = keras.Input((2,), dtype="string")
    layer = keras.layers.StringLookup(vocabulary=["a", "b c", "d"])
    converted(lambda: None, model=keras.Model(place, layer(place))).assert_agrees(WORDS)


def test_a_table_that_comes_from_a_file(tmp_path: Any) -> None:
    from assay.converters.sources import open_source
    from assay.converters.tensorflow.native_exporter import export

    class Words(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.words = table(["a", "ß"], [3, 5], -1, (tf.string, tf.int64))

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "x")])  # type: ignore[untyped-decorator]
        def __call__(self, x: Any) -> Any:
            return self.words.lookup(x)

    tf.saved_model.save(Words(), str(tmp_path))
    model = export(open_source(tmp_path), None).model
    (node,) = (node for node in model.graph if node.op_type == "LabelEncoder")
    assert list(node.attributes["values_int64s"].as_ints()) == [3, 5]
