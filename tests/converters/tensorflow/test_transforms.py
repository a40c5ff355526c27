"""Fourier transforms along axes whose sizes are known only when the model runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from agreement import converted, float_specs, random

TRANSFORMS = {"fft": tf.signal.fft, "ifft": tf.signal.ifft, "fft2d": tf.signal.fft2d, "ifft2d": tf.signal.ifft2d}
SHAPES = ((2, 3, 4), (1, 1, 1), (2, 7, 5), (1, 33, 100), (3, 2, 513), (2, 0, 4), (2, 4, 0), (0, 2, 3))


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("rows", [None, 7])
def test_a_transform_of_any_length(name: str, rows: int | None) -> None:
    def function(a: Any, b: Any) -> Any:
        found = TRANSFORMS[name](tf.complex(a, b))
        return tf.math.real(found), tf.math.imag(found)

    model = converted(function, *float_specs([None, rows, None], [None, rows, None]))
    for shape in SHAPES:
        own = (shape[0], rows or shape[1], shape[2])
        model.assert_agrees(random(*own), random(*own, seed=1), ulps=8)


def test_a_long_transform_is_as_exact_as_its_matrices() -> None:
    def function(x: Any) -> Any:
        return tf.abs(tf.signal.fft(tf.cast(x, tf.complex64)))

    model = converted(function, *float_specs([None]))
    tone = np.cos(2 * np.pi * 5 * np.arange(1000) / 1000).astype(np.float32)
    found = model.run(tone)[0]
    assert found[5] == pytest.approx(500, rel=1e-6)
    assert np.delete(found, [5, 995]).max() < 1e-4
