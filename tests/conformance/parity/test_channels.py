"""A quiet channel has a floor of its own, which is neither drowned by loud ones nor small by luck."""

from __future__ import annotations

import numpy as np
import pytest

from assay.conformance.parity.judgement import FAIL_GATE, PASS_GATE, OutputError, output_errors
from assay.conformance.parity.noise_floor import usual_noise
from assay.conformance.parity.oracle import Noise, Reference, distance

RANDOM = np.random.default_rng(0)
SCALES = np.array([300.0] * 4 + [0.5] * 81)


def detector(rows: int, scales: np.ndarray = SCALES, axis: int = -1) -> Reference:
    """Outputs with a relative noise of 1e-7 in each channel."""
    truth = RANDOM.standard_normal((rows, 20, len(scales))) * scales
    values = (truth + RANDOM.standard_normal(truth.shape) * scales * 1e-7).astype(np.float32)
    truth, values = (np.moveaxis(part, -1, axis) for part in (truth, values))
    return Reference({"y": values}, {"y": truth}, {"y": distance(values, truth)})


def worst(got: np.ndarray, references: list[Reference]) -> OutputError:
    (error,) = output_errors({"y": got}, references[0], usual_noise(references, references))
    return error


@pytest.mark.parametrize("axis", [-1, 1])
def test_a_wrong_quiet_channel_is_found_and_named(axis: int) -> None:
    references = [detector(rows, axis=axis) for rows in (2, 1, 5)]
    got = references[0].values["y"].copy()
    np.moveaxis(got, axis, -1)[..., 7] += np.float32(1e-5)
    error = worst(got, references)
    assert error.ratio > FAIL_GATE
    assert (error.channel, error.channel_axis) == (7, axis % 3)
    whole = Noise(distance(got, references[0].truth["y"]).max, 0.0)
    assert whole.max < PASS_GATE * references[0].floor["y"].max


def test_another_implementation_of_the_same_noise_passes() -> None:
    references = [detector(rows) for rows in (2, 1, 5)]
    truth = references[0].truth["y"]
    for _ in range(20):
        got = (truth + RANDOM.standard_normal(truth.shape) * SCALES * 1e-7).astype(np.float32)
        assert worst(got, references).ratio < PASS_GATE / 2


def test_channels_alike_are_judged_as_a_whole() -> None:
    references = [detector(rows, np.ones(1000)) for rows in (2, 1, 5)]
    assert usual_noise(references, references)["y"].quiet is None


def test_a_channel_with_few_elements_is_not_known_to_be_quiet() -> None:
    truth = RANDOM.standard_normal((2, 85)) * SCALES
    values = truth.astype(np.float32)
    reference = Reference({"y": values}, {"y": truth}, {"y": distance(values, truth)})
    assert usual_noise([reference], [reference])["y"].quiet is None


def test_a_channel_in_which_the_source_never_rounds_is_judged_with_the_whole() -> None:
    references = [detector(rows, np.array([300.0, 300.0, 0.0])) for rows in (2, 1, 5)]
    got = references[0].values["y"].copy()
    got[..., 2] = 1e-9
    assert worst(got, references).ratio <= PASS_GATE
    got[..., 2] = 1e-2
    assert worst(got, references).ratio > FAIL_GATE
