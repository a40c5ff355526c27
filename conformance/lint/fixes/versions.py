"""Opset and IR versions beyond what the target takes."""

from __future__ import annotations

import onnx_ir as ir
from onnx import version_converter

from assay.conformance.lint.fixes.registry import Draft, fixes


@fixes("OP001")
def fit_target(draft: Draft) -> None:
    """Convert to the target's newest opset by ONNX's version converter, and lower the IR version."""
    target = draft.target
    if target is None:
        return
    newest = target.opset_max
    if draft.model.opset_imports.get("", 0) > newest:
        converted = ir.from_proto(version_converter.convert_version(ir.to_proto(draft.model), newest))
        converted.metadata_props.update(draft.model.metadata_props)
        draft.model = converted
    draft.model.ir_version = min(draft.model.ir_version, target.ir_max)
