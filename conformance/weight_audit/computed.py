"""What the source itself makes of its weights: a masked, clamped or normalized one is a constant in no wrong graph."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from assay.conformance.weight_audit.matching import Weights, floating, low_dtypes
from assay.converters.constants import floating_constants
from assay.converters.sources import Source
from assay.converters.sources.recorded import computed_arrays


def computed_by(source: Source, file: Path, names: Collection[str], feeds: Mapping[str, np.ndarray]) -> set[str]:
    """Those of the named constants of the file that the source computes when it runs on these inputs."""
    constants = list(floating(floating_constants(file)))
    asked, low = [one for one in constants if one.name in names], low_dtypes(constants)
    sizes = {one.array.size for one in asked}
    computed = (pair for pair in computed_arrays(source, feeds) if pair[1].size in sizes)
    weights = Weights(one for one in floating(computed) if one.tells)
    return {one.name for one in asked if weights.has(one) or weights.difference(one, low) is True}
