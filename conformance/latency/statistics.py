"""Medians, 95th percentiles and ratios of samples, each with its 95 % interval."""

from __future__ import annotations

from typing import Any

import numpy as np

_RESAMPLES = 1000


def quantile(samples: list[float], p: float) -> tuple[float, float | None, float | None]:
    """The quantile with its distribution-free interval from order statistics (Conover 1999, section 3.2).

    An end is None where the samples are too few to bound it: a 95th percentile has no upper end below 72 samples.
    """
    from scipy.stats import quantile_test

    interval: Any = quantile_test(samples, p=p).confidence_interval(0.95)
    low, high = (float(end) if np.isfinite(end) else None for end in (interval.low, interval.high))
    return float(np.quantile(samples, p)), low, high


def summary(samples: list[float]) -> dict[str, Any]:
    """Median and 95th percentile in milliseconds, with intervals."""
    median, p95 = quantile(samples, 0.5), quantile(samples, 0.95)
    return dict(
        zip(("median_ms", "median_low", "median_high", "p95_ms", "p95_low", "p95_high"), (*median, *p95), strict=True)
    )


def ratio(samples: list[float], base: list[float]) -> dict[str, float]:
    """How many times longer ``samples`` take than ``base``, by medians of interleaved runs; paired bootstrap."""
    from scipy.stats import bootstrap

    a, b = np.asarray(samples), np.asarray(base)
    result = bootstrap(
        (a, b),
        _ratio_of_medians,
        paired=True,
        vectorized=True,
        n_resamples=_RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    interval = result.confidence_interval
    return {"ratio": float(_ratio_of_medians(a, b, -1)), "low": float(interval.low), "high": float(interval.high)}


def _ratio_of_medians(a: np.ndarray, b: np.ndarray, axis: int) -> Any:
    return np.median(a, axis=axis) / np.median(b, axis=axis)
