"""Intervals against published and closed-form values, and their coverage on simulated samples."""

from __future__ import annotations

import numpy as np
import pytest

from assay.conformance.accuracy.intervals import drop_interval, score_interval

Z = 1.959964


def right(count: int, of: int) -> np.ndarray:
    return (np.arange(of) < count).astype(float)


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    # Newcombe (1998), table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_a_score_has_wilsons_interval(count: int, of: int, low: float, high: float) -> None:
    interval = score_interval(right(count, of), graded=False)
    assert interval.value == pytest.approx(count / of)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


def test_a_perfect_score_is_not_certain() -> None:
    interval = score_interval(np.ones(20), graded=False)
    assert interval.high == pytest.approx(1)
    assert interval.low == pytest.approx(20 / (20 + Z**2), abs=1e-6)


@pytest.mark.parametrize(("lost", "won", "of"), [(0, 0, 50), (3, 0, 100), (7, 2, 300), (40, 40, 100), (100, 0, 100)])
def test_a_drop_has_the_interval_of_bonett_and_price(lost: int, won: int, of: int) -> None:
    before, after = np.zeros(of), np.zeros(of)
    before[:lost], after[lost : lost + won] = 1, 1
    p12, p21 = (lost + 1) / (of + 2), (won + 1) / (of + 2)
    half = Z * np.sqrt((p12 + p21 - (p12 - p21) ** 2) / (of + 2))
    interval = drop_interval(before, after, graded=False)
    assert interval.value == pytest.approx((lost - won) / of)
    assert (interval.low, interval.high) == pytest.approx((p12 - p21 - half, p12 - p21 + half), abs=1e-6)


def test_no_change_on_few_samples_is_not_certain() -> None:
    interval = drop_interval(np.ones(20), np.ones(20), graded=False)
    assert interval.low < -0.1
    assert interval.high > 0.1


def test_graded_scores_that_do_not_change_have_no_width() -> None:
    interval = drop_interval(np.full(9, 0.5), np.full(9, 0.5), graded=True)
    assert (interval.value, interval.low, interval.high) == (0, 0, 0)


def test_graded_scores_have_an_interval_as_wide_as_their_mean_spreads() -> None:
    scores = np.random.default_rng(0).uniform(size=400)
    interval = score_interval(scores, graded=True)
    assert interval.high - interval.low == pytest.approx(2 * Z * scores.std() / 20, rel=0.1)


@pytest.mark.parametrize(("lost", "won"), [(0.02, 0.01), (0.08, 0.03), (0.3, 0.3)])
def test_the_interval_of_a_drop_covers_the_truth_19_times_of_20(lost: float, won: float) -> None:
    generator, runs, size = np.random.default_rng(0), 400, 200
    hits = 0
    for _ in range(runs):
        draw = generator.uniform(size=size)
        before, after = (draw < lost).astype(float), ((draw >= lost) & (draw < lost + won)).astype(float)
        interval = drop_interval(before, after, graded=False)
        hits += interval.low <= lost - won <= interval.high
    assert 0.93 <= hits / runs <= 0.995


def test_the_bootstrap_covers_the_truth_about_19_times_of_20() -> None:
    generator, runs = np.random.default_rng(0), 100
    intervals = [score_interval(generator.beta(8, 2, size=100), graded=True) for _ in range(runs)]
    assert 0.88 <= sum(one.low <= 0.8 <= one.high for one in intervals) / runs <= 0.99
