"""How far a constant may be from a weight by rounding alone."""

from __future__ import annotations

from dataclasses import dataclass

import ml_dtypes
import numpy as np

# root mean square over that of the weight, in units of the dtype's epsilon: a weight that moved by one unit in the last
# place has at most 1 (0.72 as a rule), one that was folded into a normalization 0.3 to 0.5, noise of 3e-7 has 2.5
_NOISE = 1.5
_STRAY = 8.0  # beyond so many epsilons of the largest of its channel, an element is another one


@dataclass(frozen=True)
class Rounding:
    """The rounding of the coarser of two dtypes."""

    epsilon: float
    smallest: float

    @property
    def noise(self) -> float:
        """The root mean square, beside that of the weight, up to which a difference is rounding."""
        return _NOISE * self.epsilon

    def stray(self, largest: np.ndarray) -> np.ndarray:
        """How far an element may be from where it should, in a channel whose largest is this."""
        return _STRAY * self.epsilon * largest + self.smallest


def rounding_of(*dtypes: np.dtype) -> Rounding:
    """The rounding of the coarsest of the dtypes."""
    limits = [ml_dtypes.finfo(dtype) for dtype in dtypes]  # type: ignore[no-untyped-call]
    return Rounding(max(float(one.eps) for one in limits), max(float(one.smallest_subnormal) for one in limits))
