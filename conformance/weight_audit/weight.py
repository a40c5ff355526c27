"""A weight: an array with its name in the source or in the candidate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SMALLEST = 16  # elements
_SAMPLED = 256


@dataclass(frozen=True)
class Weight:
    """An array of the source or of the candidate, with its name there."""

    name: str
    array: np.ndarray

    @property
    def is_vector(self) -> bool:
        """Whether it has one axis only, those of size one apart."""
        return len([size for size in self.array.shape if size > 1]) < 2

    @property
    def tells(self) -> bool:
        """Whether it has so much in it that nothing else is like it by chance: no mask, no pattern."""
        array = self.array
        if array.size < _SMALLEST:
            return False
        places = np.unique(np.linspace(0, array.size - 1, _SAMPLED).astype(int))
        sample = array[np.unravel_index(places, array.shape)]
        return len(np.unique(sample)) >= max(_SMALLEST // 2, len(sample) // 4)
