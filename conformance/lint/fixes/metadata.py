"""What a model says of itself."""

from __future__ import annotations

import json

from assay.conformance.lint.fixes.registry import Draft, fixes
from assay.specs.data import PROFILE_VERSION
from assay.specs.tasks import GENERIC


@fixes("MD001")
def state_provenance(draft: Draft) -> None:
    """Profile and task; where no source is known, the file as it was is the source."""
    task = draft.interface.task if draft.interface else GENERIC
    stamps = {
        "assay.profile": PROFILE_VERSION,
        "assay.task": task,
        "assay.source.framework": "onnx",
        "assay.source.sha256": draft.file_sha256,
    }
    for key, value in stamps.items():
        draft.model.metadata_props.setdefault(key, value)


@fixes("MD002")
def agree_with_interface(draft: Draft) -> None:
    """The profile that this version writes, and the task of ``interface.json``."""
    draft.model.metadata_props["assay.profile"] = PROFILE_VERSION
    if draft.interface is not None:
        draft.model.metadata_props["assay.task"] = draft.interface.task


def state_roles(draft: Draft) -> None:
    """Roles as ``interface.json`` has them."""
    if draft.interface is None:
        draft.model.metadata_props.pop("assay.roles", None)
        return
    specs = (*draft.interface.inputs, *draft.interface.outputs)
    roles = {spec.name: spec.role for spec in specs if spec.role}
    draft.model.metadata_props["assay.roles"] = json.dumps(roles, sort_keys=True)
