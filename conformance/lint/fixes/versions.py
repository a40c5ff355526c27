"""Opset and IR versions beyond what the target takes, and opsets whose operators mean something else than today's."""

from __future__ import annotations

import onnx_ir as ir
from onnx import version_converter

from assay.conformance.lint.fixes.registry import Draft, UnmendableError, fixes

_UNAMBIGUOUS = 18  # from 13 on Softmax works on one axis; 18 is what every target takes


@fixes("OP001")
def fit_target(draft: Draft) -> None:
    """Convert to the target's newest opset, and lower the IR version to what it reads."""
    target = draft.target
    if target is None:
        return
    newest = target.opset.get("ai.onnx", target.opset.get(""))
    if newest is not None and draft.model.opset_imports.get("", 0) > newest:
        _convert(draft, newest)
    draft.model.ir_version = min(draft.model.ir_version, target.ir_version)


@fixes("OP011", "OP012")
def raise_opset(draft: Draft) -> None:
    """Convert to an opset in which operators mean what they mean today."""
    if draft.model.opset_imports.get("", _UNAMBIGUOUS) < _UNAMBIGUOUS:
        _convert(draft, _UNAMBIGUOUS)


def _convert(draft: Draft, opset: int) -> None:
    try:
        converted = ir.from_proto(version_converter.convert_version(ir.to_proto(draft.model), opset))
    except (RuntimeError, ValueError, IndexError) as error:
        raise UnmendableError(f"ONNX's version converter does not reach opset {opset}: {error}") from error
    converted.metadata_props.update(draft.model.metadata_props)
    draft.model = converted
