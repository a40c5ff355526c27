"""The source's own arrays for constants that are almost its weights, in the constants' layouts and dtypes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np

from assay.conformance.weight_audit.matching import Weights, floating
from assay.converters.constants import floating_constants
from assay.converters.sources import Source


def restored(source: Source, file: Path, names: Collection[str], within: float = 0.0) -> dict[str, np.ndarray]:
    """By the name of each constant of the file what the source's weights say that it should be.

    Vectors that are off one of the source's by less than ``within`` of its size are among them, too: the audit leaves
    them out, but a bias beside noisy weights carries noise as a rule. What has no counterpart is left out.
    """
    with np.errstate(all="ignore"):
        return restored_arrays(source.weights(), floating_constants(file), names, within)


def restored_arrays(
    source: Iterable[tuple[str, np.ndarray]],
    candidate: Iterable[tuple[str, np.ndarray]],
    names: Collection[str],
    within: float = 0.0,
) -> dict[str, np.ndarray]:
    """As `restored`, of the arrays with their names."""
    weights, found = Weights(floating(source)), {}
    for constant in floating(candidate):
        if constant.name in names:
            array = weights.restored(constant)
        elif within and constant.is_vector and not weights.has(constant):
            array = weights.nearest_vector(constant, within)
        else:
            continue
        if array is not None:
            found[constant.name] = np.array(array, constant.array.dtype).reshape(constant.array.shape)
    return found
