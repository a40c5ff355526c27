"""Loops and lists of tensors."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import onnx_ir as ir
import pytest
import tensorflow as tf
from agreement import Converted, converted, float_specs, random

FLOATS = np.array([0.5, -1.0, 2.0, 3.0], np.float32)


def body_operators(model: Converted) -> list[str]:
    (node,) = (node for node in model.model.graph if node.op_type == "Loop")
    graph = node.attributes["body"].value
    assert isinstance(graph, ir.Graph)
    return [inner.op_type for inner in graph]


def test_a_loop_with_a_condition_of_its_own() -> None:
    def function(x: Any) -> Any:
        def halve(i: Any, v: Any) -> Any:
            return i + 1, v * 0.5

        return tf.while_loop(lambda _i, v: tf.reduce_max(v) > 1.0, halve, (tf.constant(0), x))

    model = converted(function, *float_specs([None]))
    for array in (FLOATS, FLOATS * 100, FLOATS * 0.1):  # the last one does not turn at all
        model.assert_agrees(array)


def test_a_loop_that_counts_asks_nothing_in_its_body() -> None:
    def function(x: Any) -> Any:
        turns = tf.shape(x)[0]
        return tf.while_loop(lambda i, _v: i < turns, lambda i, v: (i + 1, v + x), (tf.constant(0), x))[1]

    model = converted(function, *float_specs([None]))
    assert "Less" not in body_operators(model)
    for size in (1, 4, 0):
        model.assert_agrees(random(size))


def test_a_state_may_change_its_shape() -> None:
    def function(x: Any) -> Any:
        shapes = (tf.TensorShape([]), tf.TensorShape([None]))
        start = (tf.constant(0), x)
        return tf.while_loop(lambda i, _v: i < 3, lambda i, v: (i + 1, tf.concat([v, v], 0)), start, shapes)[1]

    model = converted(function, *float_specs([None]))
    model.assert_agrees(random(3))


def test_a_loop_that_does_not_turn_gives_elements_of_the_shape_that_its_body_has() -> None:
    mapped = converted(lambda x: tf.map_fn(lambda row: tf.tensordot(row, row, 0), x), *float_specs([None, 3]))
    folded = converted(lambda x: keras.ops.fold(x, (3, 3), 2), *float_specs([None, 12, 4]))
    for batch in (0, 2):
        mapped.assert_agrees(random(batch, 3))
        folded.assert_agrees(random(batch, 12, 4))


def test_a_list_that_stays_empty_has_elements_of_the_shape_that_it_is_stacked_with() -> None:
    def function(x: Any, size: Any) -> Any:
        spec = tf.TensorSpec([2, 3], tf.float32)
        return tf.map_fn(lambda row: tf.reshape(row, size), x, fn_output_signature=spec)

    model = converted(function, *float_specs([None, 6]), tf.TensorSpec([2], tf.int32))
    for batch in (0, 2):
        model.assert_agrees(random(batch, 6), np.array([2, 3], np.int32))


@pytest.mark.parametrize("batch", [1, 5])
def test_map_fn_is_a_scan(batch: int) -> None:
    model = converted(lambda x: tf.map_fn(lambda row: tf.reduce_sum(row) * row, x), *float_specs([None, 3]))
    assert "ScatterND" not in body_operators(model)
    assert "Pad" not in model.operators
    model.assert_agrees(random(batch, 3))


@pytest.mark.parametrize("reverse", [False, True])
def test_scan_in_both_directions(reverse: bool) -> None:
    def function(x: Any) -> Any:
        return tf.scan(lambda state, row: state * 0.5 + row, x, tf.zeros([3]), reverse=reverse)

    model = converted(function, *float_specs([4, 3]))
    assert "ScatterND" not in body_operators(model)
    model.assert_agrees(random(4, 3))


def test_what_a_loop_leaves_unwritten_is_zero() -> None:
    def function(x: Any) -> Any:
        array = tf.TensorArray(tf.float32, size=5, element_shape=[2])
        done = tf.while_loop(
            lambda i, _a: i < 3, lambda i, a: (i + 1, a.write(i, x * tf.cast(i, tf.float32))), (tf.constant(0), array)
        )
        return done[1].stack()

    converted(function, *float_specs([2])).assert_agrees(random(2))


def test_a_list_that_the_loop_reads_and_writes() -> None:
    def function(x: Any) -> Any:
        array = tf.TensorArray(tf.float32, size=6, element_shape=[2], clear_after_read=False)
        array = array.write(0, x)
        done = tf.while_loop(
            lambda i, _a: i < 6, lambda i, a: (i + 1, a.write(i, a.read(i - 1) * 2.0)), (tf.constant(1), array)
        )
        return done[1].stack()

    converted(function, *float_specs([2])).assert_agrees(random(2))


def test_a_list_that_grows() -> None:
    def function(x: Any) -> Any:
        array = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
        turns = tf.shape(x)[0]
        done = tf.while_loop(
            lambda i, _a: i < turns, lambda i, a: (i + 1, a.write(i, tf.gather(x, i))), (tf.constant(0), array)
        )
        return done[1].stack()

    model = converted(function, *float_specs([None, 2]))
    model.assert_agrees(random(4, 2))


def test_lists_without_a_loop() -> None:
    def function(x: Any) -> Any:
        array = tf.TensorArray(tf.float32, size=3).unstack(x)
        array = array.write(1, x[0] + 1.0)
        return array.stack(), array.read(1), array.gather([2, 1]), array.size(), array.concat()

    converted(function, *float_specs([3, 2])).assert_agrees(random(3, 2))


def test_lists_that_are_pushed_and_popped() -> None:
    def function(x: Any) -> Any:
        items = tf.raw_ops.EmptyTensorList(element_shape=[2], max_num_elements=-1, element_dtype=tf.float32)
        for row in (x[0], x[1] * 2.0, x[2]):
            items = tf.raw_ops.TensorListPushBack(input_handle=items, tensor=row)
        items, last = tf.raw_ops.TensorListPopBack(input_handle=items, element_shape=[2], element_dtype=tf.float32)
        stacked = tf.raw_ops.TensorListStack(input_handle=items, element_shape=[2], element_dtype=tf.float32)
        shape = tf.raw_ops.TensorListElementShape(input_handle=items, shape_type=tf.int32)
        return stacked, last, shape, tf.raw_ops.TensorListLength(input_handle=items)

    converted(function, *float_specs([3, 2])).assert_agrees(random(3, 2))


def test_loops_in_loops() -> None:
    def function(x: Any) -> Any:
        return tf.map_fn(lambda row: tf.map_fn(lambda value: value * value + row[0], row), x)

    converted(function, *float_specs([None, None])).assert_agrees(random(3, 4))


def test_a_refusal_in_a_body_is_told_once() -> None:
    from assay.converters.sources import open_source
    from assay.converters.tensorflow.native_exporter import UnconvertibleError, export

    def function(x: Any) -> Any:
        return tf.map_fn(lambda row: tf.raw_ops.Polygamma(a=row, x=row), x)

    source = open_source(tf.function(function, input_signature=float_specs([None, 3]), autograph=False))
    with pytest.raises(UnconvertibleError) as refused:
        export(source, None)
    assert [refusal.operator for refusal in refused.value.refusals] == ["Polygamma"]


def test_weights_that_are_read_in_a_loop_and_outside_are_held_once() -> None:
    weights = tf.Variable(random(20, 20))

    def function(x: Any) -> Any:
        inside = tf.map_fn(lambda row: tf.linalg.matvec(weights, row), x)
        return tf.matmul(inside, weights) + tf.map_fn(lambda row: tf.linalg.matvec(weights, row) * 2.0, x)

    model = converted(function, *float_specs([None, 20]))
    held = [value for value in model.model.graph.initializers.values() if value.shape == (20, 20)]
    assert len(held) == 1
    model.assert_agrees(random(3, 20), ulps=64)


def test_variables_of_other_types() -> None:
    def function(x: Any) -> Any:
        def body(i: Any, big: Any, flags: Any, wide: Any) -> Any:
            return i + 1, big * 2, flags & (wide > 0.5), wide * tf.constant(0.5, tf.float64)

        start = (tf.constant(0), tf.constant(3, tf.int64), x > 0.0, tf.cast(x, tf.float64))
        return tf.while_loop(lambda i, *_: i < 5, body, start, maximum_iterations=3)

    converted(function, *float_specs([None])).assert_agrees(random(4) * 10.0)


def test_loops_that_are_written_as_python() -> None:
    @tf.function(input_signature=float_specs([None, 3]))  # type: ignore[untyped-decorator]
    def function(x: Any) -> Any:
        total = tf.zeros([3])
        for row in x:
            if tf.reduce_sum(row) > 0.0:
                total += row
        while tf.reduce_max(tf.abs(total)) > 1.0:
            total /= 2.0
        return total

    model = converted(lambda: None, model=function)
    for seed in range(3):
        model.assert_agrees(random(5, 3, seed=seed))
