"""SE: what a model could make the machine do that loads it."""

from __future__ import annotations

from collections.abc import Iterator

import onnx_ir as ir

from assay.conformance.lint.candidate import StaticCandidate
from assay.conformance.lint.registry import Violation, rule
from assay.conformance.lint.tensors import external_fault, tensors


@rule("SE001")
def external_data_is_contained(candidate: StaticCandidate) -> Iterator[Violation]:
    """External data lies whole in the model's folder."""
    for subject, tensor in tensors(candidate):
        fault = external_fault(tensor, candidate.path) if isinstance(tensor, ir.ExternalTensor) else None
        if fault:
            yield Violation(subject, fault)
