"""Scores of single samples, between 0 and 1: right against the label, or in agreement with the float model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from assay.specs.errors import AssayError


class MetricError(AssayError):
    """Outputs and labels that the metric can't score."""


@dataclass(frozen=True)
class Metric:
    """How an output becomes a decision: the largest along ``axis``, or at least ``threshold``."""

    name: Literal["top1", "threshold", "agreement"]
    output: str
    axis: int | None = None
    threshold: float | None = None

    def decide(self, output: np.ndarray) -> np.ndarray:
        """The decisions in an output: class indices without the class axis, or booleans of the output's shape."""
        if self.threshold is not None and self.name != "top1":
            return np.asarray(output >= self.threshold)
        axis = -1 if self.axis is None else self.axis
        if axis not in range(1, output.ndim) and -axis not in range(1, output.ndim):
            raise MetricError(
                f"output {self.output} has the shape {list(output.shape)}, but should have classes on axis {axis}"
            )
        return np.asarray(output.argmax(axis=axis))

    def score(self, output: np.ndarray, expected: np.ndarray) -> np.ndarray:
        """The share of right decisions of each sample (first axis); ``expected`` are labels or other decisions."""
        decisions = self.decide(output)
        if expected.dtype.kind not in "biuf":
            raise MetricError(f"metric {self.name}: labels are {expected.dtype.name}, but should be numbers")
        if _without_ones(decisions) != _without_ones(expected):
            raise MetricError(
                f"metric {self.name}: output {self.output} decides on {list(decisions.shape)}, "
                f"but the expected decisions have the shape {list(expected.shape)}"
            )
        right = np.asarray(decisions.reshape(expected.shape) == expected)
        return np.asarray(right.reshape(len(expected), -1).mean(axis=1))


def _without_ones(array: np.ndarray) -> tuple[int, ...]:
    return tuple(size for size in array.shape if size != 1)


def sqnr_db(reference: np.ndarray, output: np.ndarray) -> float | None:
    """Signal to quantization noise in decibels; None where there is no noise or no signal."""
    signal = float(np.sum(np.square(reference, dtype=np.float64)))
    noise = float(np.sum(np.square(reference.astype(np.float64) - output.astype(np.float64))))
    return 10 * float(np.log10(signal / noise)) if signal > 0 and noise > 0 else None
