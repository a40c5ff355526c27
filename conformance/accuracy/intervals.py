"""Confidence intervals (95 %) of scores and of paired differences of scores.

Where each sample is right or wrong: Wilson (1927) for one score, Bonett and Price (2012) for a paired difference, which
keeps its width where no sample changed. Where samples have graded scores: the percentile bootstrap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_Z = 1.959963984540054  # 97.5 % quantile of the normal distribution
_RESAMPLES = 2000


@dataclass(frozen=True)
class Interval:
    """An estimate with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def score_interval(scores: np.ndarray, graded: bool) -> Interval:
    """The mean score of samples; ``graded`` where one sample holds several decisions."""
    from scipy.stats import binomtest

    if graded:
        return _bootstrap(scores)
    interval = binomtest(int(scores.sum()), len(scores)).proportion_ci(method="wilson")
    return Interval(float(scores.mean()), float(interval.low), float(interval.high))


def drop_interval(before: np.ndarray, after: np.ndarray, graded: bool) -> Interval:
    """How much the mean score falls from ``before`` to ``after``, on the same samples."""
    drops = before - after
    if graded:
        return _bootstrap(drops)
    padded = np.concatenate([drops, [1.0, -1.0]])
    center, half = float(padded.mean()), _Z * float(padded.std()) / len(padded) ** 0.5
    return Interval(float(drops.mean()), center - half, center + half)


def _bootstrap(values: np.ndarray) -> Interval:
    from scipy.stats import bootstrap

    mean = float(values.mean())
    if len(values) < 2 or np.ptp(values) == 0:
        return Interval(mean, mean, mean)
    result = bootstrap((values,), np.mean, n_resamples=_RESAMPLES, method="percentile", rng=np.random.default_rng(0))
    return Interval(mean, float(result.confidence_interval.low), float(result.confidence_interval.high))
