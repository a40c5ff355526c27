"""Weights that are stored more than once, or that nothing reads."""

from __future__ import annotations

from onnx_ir.passes.common import DeduplicateInitializersPass

from assay.conformance.lint.fixes.registry import Draft, fixes


@fixes("WT002")
def share_weights(draft: Draft) -> None:
    """Equal weights become one."""
    DeduplicateInitializersPass(size_limit=1 << 40)(draft.model)
