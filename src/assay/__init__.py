"""Assay converts PyTorch and TensorFlow models to ONNX and proves that they are still the same models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assay.specs.errors import AssayError

if TYPE_CHECKING:
    from assay.conformance.certify import certify
    from assay.conformance.comparison import Comparison, compare
    from assay.conformance.lint import lint
    from assay.conformance.parity import check
    from assay.conformance.result import CheckResult, Finding, Result, Verdict
    from assay.converters.bundle import Bundle
    from assay.converters.convert import convert

__all__ = [
    "AssayError",
    "Bundle",
    "CheckResult",
    "Comparison",
    "Finding",
    "Result",
    "Verdict",
    "certify",
    "check",
    "compare",
    "convert",
    "lint",
]

_HOMES = {
    "Bundle": "assay.converters.bundle",
    "CheckResult": "assay.conformance.result",
    "Comparison": "assay.conformance.comparison",
    "Finding": "assay.conformance.result",
    "Result": "assay.conformance.result",
    "Verdict": "assay.conformance.result",
    "certify": "assay.conformance.certify",
    "check": "assay.conformance.parity",
    "compare": "assay.conformance.comparison",
    "convert": "assay.converters.convert",
    "lint": "assay.conformance.lint",
}


def __getattr__(name: str) -> Any:
    """Load each public name when it is first used, so that ``import assay`` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'assay' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
