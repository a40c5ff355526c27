"""The model says by which profile it was written, for which task, and from what."""

from __future__ import annotations

import json

import onnx_ir as ir

from assay.converters.passes.context import PassContext


def stamp_metadata(model: ir.Model, context: PassContext) -> None:
    """Set ``assay.*`` metadata and the producer; keep what the source's author wrote."""
    roles = {spec.name: spec.role for spec in (*context.interface.inputs, *context.interface.outputs) if spec.role}
    stamps = {"assay.task": context.interface.task, **context.metadata}
    if roles:
        stamps["assay.roles"] = json.dumps(roles, sort_keys=True)
    model.metadata_props.update(stamps)
    sort_metadata(model)
    model.producer_name, model.producer_version = "assay", None
    model.graph.name = "model"
    model.doc_string = None


def sort_metadata(model: ir.Model) -> None:
    """One order, whatever wrote them."""
    for key in sorted(model.metadata_props):
        model.metadata_props[key] = model.metadata_props.pop(key)
