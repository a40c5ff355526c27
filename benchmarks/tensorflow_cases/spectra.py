"""Fourier transforms and complex numbers; every output is real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from tensorflow_cases.case import Case, filled, operator

signal = tf.signal


def _both(function: Callable[..., Any]) -> Callable[..., Any]:
    """The real and the imaginary part of what a function of complex numbers gives."""

    def parts(*x: Any) -> Any:
        found = function(*x)
        return tf.math.real(found), tf.math.imag(found)

    return parts


def _of_pairs(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of complex numbers, by a real input whose last axis is cut in two."""

    def called(*x: Any) -> Any:
        return _both(function)(*(tf.complex(*tf.split(each, 2, axis=-1)) for each in x))

    return called


def cases() -> Iterator[Case]:
    """All of this family."""
    yield from map(filled, _cases())
    yield from map(filled, _moved_pairs())


def _cases() -> Iterator[Case]:
    yield operator("tf.signal.rfft", _both(signal.rfft), "f4[a,16]")
    yield operator("tf.signal.rfft odd", _both(signal.rfft), "f4[a,15]")
    yield operator("tf.signal.rfft longer", _both(lambda x: signal.rfft(x, [20])), "f4[a,16]")
    yield operator("tf.signal.rfft shorter", _both(lambda x: signal.rfft(x, [10])), "f4[a,b,16]")
    yield operator("tf.signal.rfft dynamic axis", _both(lambda x: signal.rfft(x, [8])), "f4[a,b]")
    yield operator("tf.signal.rfft f8", _both(signal.rfft), "f8[a,16]")
    yield operator("tf.signal.rfft2d", _both(signal.rfft2d), "f4[a,6,8]")
    yield operator("tf.signal.fft", _of_pairs(signal.fft), "f4[a,16]")
    yield operator("tf.signal.ifft", _of_pairs(signal.ifft), "f4[a,14]")
    yield operator("tf.signal.fft2d", _of_pairs(signal.fft2d), "f4[a,5,12]")
    yield operator("tf.signal.ifft2d", _of_pairs(signal.ifft2d), "f4[a,5,12]")
    yield operator("tf.signal.irfft", lambda x: signal.irfft(signal.rfft(x)), "f4[a,16]")
    yield operator("tf.signal.irfft odd", lambda x: signal.irfft(signal.rfft(x), [13]), "f4[a,16]")
    yield operator("tf.signal.irfft2d", lambda x: signal.irfft2d(signal.rfft2d(x)), "f4[a,6,8]")
    yield operator("tf.signal.fftshift", lambda x: tf.abs(signal.fftshift(signal.rfft(x))), "f4[a,16]")
    yield operator("tf.signal.stft", lambda x: tf.abs(signal.stft(x, 16, 8)), "f4[a,64]")
    yield operator("tf.signal.stft padded", _both(lambda x: signal.stft(x, 16, 8, 32, pad_end=True)), "f4[a,60]")
    yield operator("tf.signal.stft dynamic", lambda x: tf.abs(signal.stft(tf.tile(x, [1, 20]), 16, 8)), "f4[a,b]")
    yield operator("tf.signal.inverse_stft", lambda x: signal.inverse_stft(signal.stft(x, 16, 8), 16, 8), "f4[a,64]")
    yield operator("tf.signal.frame", lambda x: signal.frame(x, 5, 2), "f4[a,16]")
    yield operator("tf.signal.frame padded", lambda x: signal.frame(x, 5, 3, pad_end=True), "f4[a,16]")
    yield operator("tf.signal.overlap_and_add", lambda x: signal.overlap_and_add(x, 2), "f4[a,4,5]")
    yield operator("tf.signal.dct 2", lambda x: signal.dct(x, 2), "f4[a,16]")
    yield operator("tf.signal.dct 3", lambda x: signal.dct(x, 3, norm="ortho"), "f4[a,16]")
    yield operator("tf.signal.idct", lambda x: signal.idct(x, norm="ortho"), "f4[a,16]")
    yield operator("tf.signal.mfccs_from_log_mel_spectrograms", signal.mfccs_from_log_mel_spectrograms, "f4[a,b,13]")
    yield operator(
        "tf.signal.linear_to_mel_weight_matrix",
        lambda x: tf.tensordot(x, signal.linear_to_mel_weight_matrix(8, 17, 8000, 80.0, 3000.0), 1),
        "f4[a,17]:prob",
    )
    yield operator("tf.complex", lambda x, y: tf.abs(tf.complex(x, y)), "f4[a,3] f4[a,3]")
    yield operator("tf.math.angle", lambda x, y: tf.math.angle(tf.complex(x, y)), "f4[a,3] f4[a,3]")
    yield operator("tf.math.conj", _of_pairs(tf.math.conj), "f4[a,6]")
    yield operator("complex product", _of_pairs(lambda x, y: x * y), "f4[a,6] f4[6]")
    yield operator("complex quotient", _of_pairs(lambda x, y: x / y), "f4[a,6] f4[a,6]:nonzero")
    yield operator("complex sum", _of_pairs(lambda x, y: x + y - tf.reduce_sum(x)), "f4[a,6] f4[6]")
    yield operator("complex exp", _of_pairs(tf.exp), "f4[a,6]")
    yield operator("complex log", _of_pairs(tf.math.log), "f4[a,6]")
    yield operator("complex matmul", _of_pairs(lambda x: tf.matmul(x, x)), "f4[4,8]")
    yield operator(
        "complex constant", _of_pairs(lambda x: x * tf.constant([1 + 2j, 3j, -1.5], tf.complex64)), "f4[a,6]"
    )
    yield operator("complex reshape", _of_pairs(lambda x: tf.transpose(tf.reshape(x, [-1, 3, 1]))[0, 1:]), "f4[a,6]")
    yield operator("complex sqrt", _of_pairs(tf.sqrt), "f4[a,6]")
    yield operator("complex cast", lambda x: tf.cast(tf.cast(x, tf.complex64) * (2 + 1j), tf.float32), "f4[a,6]")
    yield operator(
        "complex equal", lambda x, y: tf.equal(tf.complex(x, y), tf.complex(y, x)), "f4[a,9]:zeros f4[a,9]:zeros"
    )
    yield operator("complex output", lambda x: signal.rfft(x), "f4[a,16]")


def _moved_pairs() -> Iterator[Case]:
    for name, function in (
        ("concat", lambda x: tf.concat([x, x[:, 1:]], 1)),
        ("stack", lambda x: tf.stack([x, -x], 1)),
        ("split", lambda x: tf.split(x, 3, 1)[1]),
        ("unstack", lambda x: tf.unstack(x, axis=1)[2]),
        ("expand", lambda x: tf.expand_dims(x, 1)),
        ("squeeze", lambda x: tf.squeeze(x[:, tf.newaxis], [1])),
        ("gather", lambda x: tf.gather(x, [2, 0], axis=1)),
        ("tile", lambda x: tf.tile(x, [1, 2])),
        ("reverse", lambda x: tf.reverse(x, [1])),
        ("roll", lambda x: tf.roll(x, 1, 1)),
        ("pad", lambda x: tf.pad(x, [[0, 0], [1, 2]])),
        ("mean", lambda x: tf.reduce_mean(x, 1)),
        ("cumsum", lambda x: tf.cumsum(x, 1)),
        ("square", tf.square),
        ("zeros", lambda x: x + tf.zeros_like(x)),
        ("where", lambda x: tf.where(tf.abs(x) > 1, x, tf.zeros_like(x))),
        ("einsum", lambda x: tf.einsum("ij,kj->ik", x, x)),
        ("slice", lambda x: tf.slice(x, [0, 1], [-1, 2])),
        ("broadcast", lambda x: tf.broadcast_to(x, [2, tf.shape(x)[0], 3])),
        ("not equal", lambda x: tf.complex(*[tf.cast(x != x[:, :1], tf.float32)] * 2)),
    ):
        yield operator(f"complex {name}", _of_pairs(function), "f4[a,6]")
