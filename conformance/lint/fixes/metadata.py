"""What a model says of itself."""

from __future__ import annotations

import json
import re

from assay.conformance.lint.fixes.registry import Draft, fixes
from assay.conformance.lint.metadata import PRIVATE_FOLDER
from assay.converters.passes.record_source_lines import keep_lines_alone
from assay.converters.sources.onnx_model import graph_inputs, spec_of
from assay.specs.data import PROFILE_VERSION
from assay.specs.interface import Interface, with_roles
from assay.specs.tasks import GENERIC, load_task


@fixes("MD001", "MD008")
def state_provenance(draft: Draft) -> None:
    """Profile, task and exporter; where no source is known, the file as it was is the source."""
    stamps = {
        "assay.exporter": "onnx",
        "assay.profile": PROFILE_VERSION,
        "assay.source.framework": "onnx",
        "assay.source.sha256": draft.file_sha256,
        "assay.task": _task(draft),
    }
    for key, value in stamps.items():
        draft.model.metadata_props.setdefault(key, value)


@fixes("MD002")
def agree_with_interface(draft: Draft) -> None:
    """The profile that this version writes, and the task of ``interface.json``."""
    draft.model.metadata_props["assay.profile"] = PROFILE_VERSION
    if draft.interface is not None:
        draft.model.metadata_props["assay.task"] = draft.interface.task


@fixes("MD007")
def state_roles(draft: Draft) -> None:
    """Roles as the task and ``interface.json`` give them to inputs and outputs that exist."""
    specs = (*draft.interface.inputs, *draft.interface.outputs) if draft.interface else ()
    names = [value.name or "" for value in (*draft.graph.inputs, *draft.graph.outputs)]
    roles = load_task(_task(draft)).roles(names) | {spec.name: spec.role for spec in specs if spec.role}
    known = {name: role for name, role in roles.items() if name in names}
    draft.model.metadata_props["assay.roles"] = json.dumps(known, sort_keys=True)


@fixes("MD010")
def forget_folders(draft: Draft) -> None:
    """Stack traces shrink to file and line, paths to their last part; descriptions go."""
    keep_lines_alone(draft.model)
    for properties in (draft.model.metadata_props, draft.graph.metadata_props):
        for key, text in properties.items():
            properties[key] = PRIVATE_FOLDER.sub(lambda match: re.split(r"[/\\]", match[0])[-1], text)
    draft.model.doc_string = draft.graph.doc_string = None


@fixes("MD012")
def keep_each_key_once(draft: Draft) -> None:
    """Reading keeps the last value of a key; writing writes it once."""


@fixes("IO019")
def state_interface(draft: Draft) -> None:
    """An interface made from the graph takes the place of one that can't be read."""
    inputs, outputs = tuple(map(spec_of, graph_inputs(draft.model))), tuple(map(spec_of, draft.graph.outputs))
    roles = load_task(_task(draft)).roles([spec.name for spec in (*inputs, *outputs)])
    draft.interface = Interface(with_roles(inputs, roles), with_roles(outputs, roles), _task(draft))


def _task(draft: Draft) -> str:
    if draft.interface is not None:
        return draft.interface.task
    return draft.model.metadata_props.get("assay.task", GENERIC)
