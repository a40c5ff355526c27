"""Nodes keep what the source's layer was told, so that a later change of their attributes shows."""

from __future__ import annotations

import onnx_ir as ir

from assay.converters.passes.context import PassContext
from assay.converters.passes.record_source_lines import MODULE

SETTING = "assay.source."
# the attribute of each operator, and the setting of the layer that it comes from
_NORMALIZATION = {"epsilon": "eps"}
_ATTRIBUTES = {
    "LayerNormalization": _NORMALIZATION,
    "BatchNormalization": _NORMALIZATION,
    "InstanceNormalization": _NORMALIZATION,
    "GroupNormalization": _NORMALIZATION,
    "RMSNormalization": _NORMALIZATION,
    "LeakyRelu": {"alpha": "negative_slope"},
    "Elu": {"alpha": "alpha"},
    "Gelu": {"approximate": "approximate"},
}


def record_source_settings(model: ir.Model, context: PassContext) -> None:
    """Add ``assay.source.epsilon`` and the like to the nodes of layers whose settings are known."""
    for node in model.graph.all_nodes():
        told = context.settings.get(node.metadata_props.get(MODULE, ""), {})
        for attribute, setting in _ATTRIBUTES.get(node.op_type, {}).items():
            if setting in told:
                node.metadata_props[SETTING + attribute] = str(told[setting])
