"""The weight audit: the candidate's constants beside the source's own weights, element by element.

It is static: no probe has to meet the row of an embedding, and noise shows that the outputs' rounding hides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from assay.conformance.weight_audit.computed import computed_by
from assay.conformance.weight_audit.difference import Audit, Difference
from assay.conformance.weight_audit.matching import Weights, floating, low_dtypes
from assay.conformance.weight_audit.restored import restored
from assay.conformance.weight_audit.weight import Weight
from assay.converters.constants import floating_constants
from assay.converters.sources import Source

__all__ = ["Audit", "Difference", "audit", "audit_weights", "computed_by", "restored"]


def audit(source: Source, file: Path) -> Audit:
    """Every floating constant of an ONNX file beside the weights of the source; raises `UnreadableError`."""
    return audit_weights(source.weights(), floating_constants(file))


def audit_weights(source: Iterable[tuple[str, np.ndarray]], candidate: Iterable[tuple[str, np.ndarray]]) -> Audit:
    """Every constant of the candidate beside the source's weights, both with their names."""
    with np.errstate(all="ignore"):  # a weight may be infinite, or no number, in both
        return _audited(Weights(floating(source)), list(floating(candidate)))


def _audited(weights: Weights, constants: Sequence[Weight]) -> Audit:
    counts = dict.fromkeys(("equal", "folded", "unmatched", "left_out"), 0)
    differences, low = [], low_dtypes(constants)
    for constant in constants:
        if weights.has(constant):
            counts["equal"] += 1
        elif not constant.tells:
            counts["left_out"] += 1
        else:
            found = weights.difference(constant, low)
            if isinstance(found, Difference):
                differences.append(found)
            else:
                counts["folded" if found else "unmatched"] += 1
    return Audit(**counts, differences=tuple(differences))
