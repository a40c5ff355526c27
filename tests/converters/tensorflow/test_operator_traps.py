"""Where TensorFlow and ONNX mean different things by one name: each trap has a test."""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from agreement import converted, float_specs, random
from tensorflow.compiler.tf2xla.ops import gen_xla_ops

from assay.converters.exporter import ConvertError
from assay.converters.sources import open_source
from assay.converters.tensorflow.native_exporter import export


def refusal(function: Any, *specs: Any, opset: int | None = None) -> str:
    """Why the function is refused."""
    source = open_source(tf.function(function, input_signature=list(specs), autograph=False))
    with pytest.raises(ConvertError) as refused:
        export(source, opset)
    return str(refused.value)


def ints(*shape: int, low: int = -9, high: int = 10, dtype: str = "int32") -> np.ndarray:
    return np.random.default_rng(0).integers(low, high, shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64"])
@pytest.mark.parametrize("function", [tf.math.floordiv, tf.math.floormod, tf.raw_ops.TruncateDiv])
def test_integers_are_divided_towards_minus_infinity_or_zero_as_asked(function: Any, dtype: str) -> None:
    spec = tf.TensorSpec([None], dtype)
    call = (lambda x, y: function(x=x, y=y)) if function is tf.raw_ops.TruncateDiv else function
    model = converted(call, spec, spec)
    model.assert_agrees(np.array([7, -7, 7, -7, 6, -6, 0], dtype), np.array([2, 2, -2, -2, 3, -3, -4], dtype))


def test_integer_powers_wrap_around() -> None:
    spec = tf.TensorSpec([None], tf.int32)
    model = converted(tf.math.pow, spec, spec)
    bases = np.array([3, -7, 2, 0, 10, 46341, 0, 2, 3], np.int32)
    model.assert_agrees(bases, np.array([40, 13, 31, 0, 9, 2, 64, 64, 1000003], np.int32))


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint8", "uint16", "uint32", "uint64", "float16", "int64"])
def test_dtypes_without_a_kernel_are_computed_in_a_wider_one(dtype: str) -> None:
    model = converted(lambda x, y: tf.maximum(x, y) * x + y, *[tf.TensorSpec([None], dtype)] * 2)
    values = np.array([1, 100, 127, 3], dtype), np.array([90, 2, 127, 200 if dtype[0] == "u" else 20], dtype)
    with np.errstate(over="ignore"):
        model.assert_agrees(*values)


def test_a_cast_is_written_only_where_a_kernel_is_missing() -> None:
    plain = converted(lambda x: tf.nn.relu(x), tf.TensorSpec([None], tf.float32))
    assert dict(plain.operators) == {"Relu": 1}
    half = converted(lambda x: tf.nn.relu(x), tf.TensorSpec([None], tf.float16))
    assert half.operators["Cast"] == 2


def test_what_float64_has_no_kernel_for_is_refused() -> None:
    assert "needs Erf of double" in refusal(tf.math.erf, tf.TensorSpec([None], tf.float64))


def test_duplicates_of_a_scatter_add_up() -> None:
    model = converted(lambda i, u: tf.scatter_nd(i, u, [4]), tf.TensorSpec([None, 1], tf.int32), *float_specs([None]))
    model.assert_agrees(np.array([[1], [1], [3], [1]], np.int32), random(4))


def test_the_last_of_stitched_duplicates_stays() -> None:
    model = converted(
        lambda i, x: tf.dynamic_stitch([i], [x]), tf.TensorSpec([5], tf.int32), tf.TensorSpec([5, 2], tf.float32)
    )
    model.assert_agrees(np.array([0, 1, 0, 1, 0], np.int32), random(5, 2))


def test_one_hot_of_an_index_outside_has_no_hot_element() -> None:
    model = converted(lambda x: tf.one_hot(x, 3), tf.TensorSpec([None], tf.int32))
    model.assert_agrees(np.array([-1, 0, 2, 3, -3], np.int32))


@pytest.mark.parametrize("start", [0, 1, 4])
def test_a_slice_of_size_minus_one_goes_to_the_end(start: int) -> None:
    scalar = tf.TensorSpec([], tf.int32)
    model = converted(lambda x, n: tf.slice(x, [n], [-1]), *float_specs([None]), scalar)
    model.assert_agrees(random(5), np.array(start, np.int32))
    by_size = converted(lambda x, n: tf.slice(x, [1], [n]), *float_specs([None]), scalar)
    by_size.assert_agrees(random(5), np.array(-1, np.int32))
    by_size.assert_agrees(random(5), np.array(2, np.int32))


def test_empty_segments_are_neutral() -> None:
    ids = np.array([0, 0, 3], np.int32)
    for name in ("sum", "mean", "max", "min", "prod"):
        model = converted(getattr(tf.math, f"segment_{name}"), *float_specs([None, 2]), tf.TensorSpec([None], tf.int32))
        model.assert_agrees(random(3, 2), ids)
        function = getattr(tf.math, f"unsorted_segment_{name}")
        unsorted = converted(partial(_of_five, function), *float_specs([None, 2]), tf.TensorSpec([None], tf.int32))
        unsorted.assert_agrees(random(3, 2), np.array([4, -1, 1], np.int32))


def _sliced(places: slice, x: Any) -> Any:
    return x[places]


def _of_five(function: Any, x: Any, ids: Any) -> Any:
    return function(x, ids, 5)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("size", [6, 7, 8, 11])
def test_same_padding_follows_dynamic_sizes(stride: int, size: int) -> None:
    weights = tf.constant(random(3, 4, 2, 3))
    model = converted(lambda x: tf.nn.conv2d(x, weights, stride, "SAME"), *float_specs([None, None, None, 2]))
    model.assert_agrees(random(2, size, size + 1, 2))


def test_nan_passes_through_maximum_and_ties_go_to_the_first() -> None:
    values = np.array([[np.nan, 1.0, 2.0, 2.0], [0.0, -0.0, -np.inf, 0.0]], np.float32)
    converted(lambda x: tf.maximum(x, 0.5), *float_specs([None, 4])).assert_agrees(values)
    converted(lambda x: tf.argmax(x, 1), *float_specs([None, 4])).assert_agrees(values)
    converted(lambda x: tf.math.top_k(x, 3), *float_specs([None, 4])).assert_agrees(values[1:])


def test_shifts_keep_the_sign_and_end_at_the_width() -> None:
    spec = tf.TensorSpec([None], tf.int32)
    values = np.array([-8, -1, 8, 2**31 - 1, -(2**31)], np.int32), np.array([1, 40, 2, 31, 31], np.int32)
    converted(tf.bitwise.right_shift, spec, spec).assert_agrees(*values)
    converted(tf.bitwise.left_shift, spec, spec).assert_agrees(*values)


@pytest.mark.parametrize("method", ["nearest", "bilinear", "bicubic", "area", "lanczos3", "gaussian"])
@pytest.mark.parametrize("size", [(9, 14), (3, 4)])
def test_images_are_resized_by_the_same_weights(method: str, size: tuple[int, int]) -> None:
    model = converted(lambda x: tf.image.resize(x, size, method), *float_specs([None, 5, 7, 2]))
    model.assert_agrees(random(2, 5, 7, 2))


def test_a_resize_by_doubling_has_no_transpose_inside() -> None:
    weights = tf.constant(random(3, 3, 2, 2))

    def function(x: Any) -> Any:
        x = tf.nn.conv2d(x, weights, 1, "SAME")
        x = tf.image.resize(x, tf.shape(x)[1:3] * 2, "nearest")
        return tf.nn.conv2d(x[:, 1:, ::2], weights, 1, "SAME")

    model = converted(function, *float_specs([None, None, None, 2]))
    assert model.operators["Transpose"] == 2
    model.assert_agrees(random(2, 5, 7, 2))


def test_a_transposed_convolution_of_doubled_dynamic_sizes_is_one_operator() -> None:
    weights = tf.constant(random(3, 3, 4, 2))

    def function(x: Any) -> Any:
        size = tf.shape(x)
        return tf.nn.conv2d_transpose(x, weights, [size[0], size[1] * 2, size[2] * 2, 4], 2, "SAME")

    model = converted(function, *float_specs([None, None, None, 2]))
    assert dict(model.operators) == {"Transpose": 2, "ConvTranspose": 1}
    model.assert_agrees(random(2, 5, 7, 2))


def test_padding_that_the_runtime_gets_wrong_is_refused() -> None:
    spec = float_specs([None, None, None, 2])
    assert "steps wider than its window" in refusal(lambda x: tf.nn.avg_pool2d(x, 2, 4, "SAME"), *spec)
    known = converted(lambda x: tf.nn.avg_pool2d(x, 2, 4, "SAME"), *float_specs([None, 5, 9, 2]))
    known.assert_agrees(random(2, 5, 9, 2))


@pytest.mark.parametrize("size", [1, 4, 5, 6, 7, 8, 9])
def test_a_convolution_pads_dynamic_axes_though_steps_be_wider_than_its_window(size: int) -> None:
    weights = tf.constant(random(3, 2, 2, 4))
    model = converted(lambda x: tf.nn.conv2d(x, weights, (2, 4), "SAME"), *float_specs([None, None, None, 2]))
    model.assert_agrees(random(2, size, size + 3, 2))


def test_a_range_of_floats_has_as_many_as_the_quotient_in_float32() -> None:
    model = converted(tf.range, *[tf.TensorSpec([], tf.float32)] * 3)
    for numbers in ((-0.5, 0.100000024, 0.1), (0.0, 7.2000003, 0.8), (1.0, -1.0, -0.3), (0.0, 0.0, 1.0)):
        model.assert_agrees(*(np.array(number, np.float32) for number in numbers))


def test_soft_suppression_is_refused() -> None:
    def function(boxes: Any, scores: Any) -> Any:
        return tf.image.non_max_suppression_with_scores(boxes, scores, 5, 0.4, soft_nms_sigma=0.5)

    assert "lowers scores rather than dropping boxes" in refusal(function, *float_specs([9, 4], [9]))


def test_random_sources_are_refused_unless_they_are_constant() -> None:
    assert "draws random numbers" in refusal(lambda x: x + tf.random.normal([3]), *float_specs([None, 3]))
    seeded = converted(lambda x: x + tf.random.stateless_normal([3], [1, 2]), *float_specs([None, 3]))
    assert dict(seeded.operators) == {"Add": 1}
    seeded.assert_agrees(random(2, 3))


def test_a_complex_output_is_refused_by_name() -> None:
    assert "is complex64, but should be real" in refusal(tf.signal.rfft, *float_specs([None, 8]))


def test_spectra_are_pairs_of_real_tensors() -> None:
    model = converted(lambda x: tf.abs(tf.signal.stft(x, 16, 8)), *float_specs([None, 64]))
    model.assert_agrees(random(2, 64))


def test_an_operator_that_an_old_opset_lacks_is_refused() -> None:
    spec = tf.TensorSpec([None], tf.int32)
    assert "which opset 17 does not have" in refusal(tf.bitwise.bitwise_and, spec, spec, opset=17)
    converted(tf.bitwise.bitwise_and, spec, spec, opset=18).assert_agrees(ints(5), ints(5))


def test_letters_are_not_lowered_by_locale() -> None:
    assert "which ONNX does by locale" in refusal(tf.strings.lower, tf.TensorSpec([None], tf.string))


def test_fake_quantization_has_zero_on_its_grid() -> None:
    def function(x: Any) -> Any:
        return tf.quantization.fake_quant_with_min_max_vars(x, -1.3, 2.7, num_bits=4, narrow_range=True)

    model = converted(function, *float_specs([None]))
    model.assert_agrees(np.linspace(-3, 4, 101, dtype=np.float32))
    assert set(model.operators) == {"Max", "Min", "Sub", "Mul", "Add", "Floor"}


def test_empty_tensors_are_reduced_gathered_and_rolled() -> None:
    empty = np.zeros((0, 3), np.float32)
    converted(lambda x: tf.reduce_any(x > 0, 0), *float_specs([None, 3])).assert_agrees(empty)
    converted(lambda x: tf.reduce_all(x > 0, 0), *float_specs([None, 3])).assert_agrees(empty)
    converted(lambda x: tf.roll(x, 1, 0), *float_specs([None, 3])).assert_agrees(empty)
    converted(lambda x: tf.math.cumprod(x, 1), *float_specs([None, 3])).assert_agrees(empty)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_a_value_on_a_boundary_is_in_the_upper_bucket(dtype: str) -> None:
    model = converted(
        lambda x: tf.raw_ops.Bucketize(input=x, boundaries=[-1.0, 0.0, 2.0]), tf.TensorSpec([None, 5], dtype)
    )
    model.assert_agrees(np.array([[-2, -1, 0, 1, 2], [3, 2, 5, -9, 0]], dtype))


@pytest.mark.parametrize("length", [0, 1, 3, 4, 6])
def test_a_slice_backwards_from_before_the_axis_is_empty(length: int) -> None:
    scalar = tf.TensorSpec([], tf.int32)
    values = random(length)
    for places in (slice(-4, None, -1), slice(-2, -5, -2), slice(-4, -6, -1), slice(4, 0, -2)):
        converted(partial(_sliced, places), *float_specs([None])).assert_agrees(values)
        converted(partial(_sliced, places), *float_specs([length])).assert_agrees(values)
    computed = converted(lambda x, a, b: x[a:b:-1], *float_specs([None]), scalar, scalar)
    for start, end in ((-4, -7), (-1, -3), (2, 0), (9, 1), (-1, -9)):
        computed.assert_agrees(values, np.array(start, np.int32), np.array(end, np.int32))


def test_where_minus_zero_stands_decides_no_maximum_of_keras() -> None:
    model = converted(lambda x: keras.ops.argmax(x, axis=-1), *float_specs([None, 4]))
    model.assert_agrees(np.array([[-0.0, 0.0, -1.0, 0.0], [-2.0, -0.0, -0.0, -1.0], [3.0, 0.0, 3.0, -0.0]], np.float32))


def test_the_bits_of_a_float_are_refused_where_they_tell_of_nan() -> None:
    assert "reads the bits of float32" in refusal(keras.ops.signbit, *float_specs([None, 4]))


@pytest.mark.parametrize("start", [-1, 0, 2, 9])
def test_an_updated_part_is_moved_inside(start: int) -> None:
    def function(x: Any, part: Any, place: Any) -> Any:
        return gen_xla_ops.xla_dynamic_update_slice(x, part, tf.stack([place, 1]))

    model = converted(function, *float_specs([None, 4], [2, None]), tf.TensorSpec([], tf.int32))
    model.assert_agrees(random(5, 4), random(2, 3), np.array(start, np.int32))


def test_the_mean_of_an_empty_batch_is_not_a_number() -> None:
    model = converted(lambda x: (tf.reduce_mean(x), tf.reduce_mean(x, [0, 2])), *float_specs([None, 2, 3]))
    for batch in (0, 1, 4):
        model.assert_agrees(random(batch, 2, 3))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_row_that_has_no_softmax_is_nan_throughout(value: float) -> None:
    """As TensorFlow's own kernel has it; oneDNN's, which it takes for float32 on some machines, spares the others."""
    rows = np.array([[1, value, 2], [1, 2, 3], [-np.inf, 1, 2], [-np.inf] * 3], np.float32)
    for function in (tf.nn.softmax, tf.nn.log_softmax):
        model = converted(function, *float_specs([None, None]))
        due = function(rows.astype(np.float64)).numpy()
        np.testing.assert_allclose(model.run(rows)[0], due, rtol=1e-6)
