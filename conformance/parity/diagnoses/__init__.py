"""Diagnoses: a failure that was localised gets its name, by one function a kind of defect."""

from __future__ import annotations

from assay.conformance.parity.diagnoses.attributes import attribute
from assay.conformance.parity.diagnoses.baked import baked_target, baked_value, other_constant
from assay.conformance.parity.diagnoses.bodies import other_body
from assay.conformance.parity.diagnoses.diagnosis import CannotMend, Diagnosis, Diagnostician, Mend
from assay.conformance.parity.diagnoses.exports import (
    finite_mask,
    fixed_window,
    optimizer,
    other_path,
    truncated_division,
    unknown_operator,
)
from assay.conformance.parity.diagnoses.interface import (
    fixed_axis,
    ignored_input,
    missing_input,
    missing_output,
    swapped_outputs,
)
from assay.conformance.parity.diagnoses.nodes import added_node, missing_node, other_input, other_operator
from assay.conformance.parity.diagnoses.weights import weights
from assay.conformance.parity.localisation.evidence import Evidence

__all__ = ["DIAGNOSES", "CannotMend", "Diagnosis", "Mend", "diagnose"]

DIAGNOSES: tuple[Diagnostician, ...] = (
    unknown_operator,
    missing_output,
    missing_input,
    swapped_outputs,
    fixed_axis,
    ignored_input,
    attribute,
    weights,
    baked_target,
    baked_value,
    other_constant,
    added_node,
    missing_node,
    other_input,
    other_operator,
    other_body,
    fixed_window,
    truncated_division,
    finite_mask,
    optimizer,
    other_path,
)
_VAGUER: dict[str, frozenset[str]] = {  # kinds that say less of the same, and the kinds beside which they are left out
    "other-constant": frozenset({"baked-target"}),
    "baked-value": frozenset({"baked-target", "ignored-input", "swapped-inputs"}),
    "ignored-input": frozenset({"swapped-inputs"}),
    "other-input": frozenset({"added-node"}),
    "added-node": frozenset({"baked-target"}),
    "other-operator": frozenset({"truncated-division", "baked-window"}),
    "export": frozenset(),
    "inside": frozenset(),
}
_WHOLE = frozenset(
    {"swapped-outputs", "fixed-axis", "unknown-operator", "optimizer"}
)  # beside these nothing else is at fault


def diagnose(evidence: Evidence) -> list[Diagnosis]:
    """All defects that can be told, the surest first."""
    told = (diagnosis for function in DIAGNOSES for diagnosis in function(evidence))
    found = list({(one.kind, one.node, one.evidence.get("input")): one for one in told}.values())
    whole = [diagnosis for diagnosis in found if diagnosis.kind in _WHOLE]
    if whole:
        return whole
    kinds = {diagnosis.kind for diagnosis in found}
    vaguer = {vague for vague, surer in _VAGUER.items() if kinds & surer or (not surer and kinds - {vague})}
    return [diagnosis for diagnosis in found if diagnosis.kind not in vaguer]
