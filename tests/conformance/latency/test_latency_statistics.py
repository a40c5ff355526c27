"""Quantiles have distribution-free intervals, or none where the samples are too few; ratios are paired."""

from __future__ import annotations

import numpy as np
import pytest

from assay.conformance.latency.statistics import quantile, ratio, summary


def test_the_median_of_100_lies_between_the_40th_and_61st_value() -> None:
    value, low, high = quantile([float(i) for i in range(1, 101)], 0.5)
    assert (value, low, high) == (50.5, 40, 61)


def test_95th_percentiles_have_no_upper_end_below_72_samples() -> None:
    samples = np.random.default_rng(0).exponential(size=72).tolist()
    assert quantile(samples, 0.95)[2] == max(samples)
    value, low, high = quantile(samples[:71], 0.95)
    assert low is not None
    assert low <= value
    assert high is None


@pytest.mark.parametrize("p", [0.5, 0.95])
def test_the_interval_covers_the_truth_19_times_of_20_at_least(p: float) -> None:
    generator, runs, truth = np.random.default_rng(0), 300, -np.log(1 - p)
    hits = 0
    for _ in range(runs):
        _, low, high = quantile(generator.exponential(size=200).tolist(), p)
        assert low is not None
        assert high is not None
        hits += low <= truth <= high
    assert hits / runs >= 0.93


def test_a_summary_is_in_order() -> None:
    row = summary(np.random.default_rng(0).exponential(size=200).tolist())
    assert row["median_low"] <= row["median_ms"] <= row["median_high"] < row["p95_ms"] <= row["p95_high"]


def test_a_slow_machine_does_not_move_the_ratio_of_interleaved_runs() -> None:
    generator = np.random.default_rng(0)
    machine = generator.choice([1.0, 3.0], size=200)
    base, twice = (machine * scale * generator.normal(1, 0.01, 200) for scale in (1, 2))
    told = ratio(twice.tolist(), base.tolist())
    assert told["low"] <= 2 <= told["high"]
    assert told["ratio"] == pytest.approx(2, rel=0.02)


def test_a_model_is_as_fast_as_itself() -> None:
    samples = np.random.default_rng(0).exponential(size=50).tolist()
    assert ratio(samples, samples) == {"ratio": 1, "low": 1, "high": 1}
