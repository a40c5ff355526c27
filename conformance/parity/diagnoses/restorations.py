"""Restorations: parts of the healthy graph that are tried where no diagnosis has a mend that is enough.

They name no defect, so they are no findings; each is one part of the model, and is proved like every other mend.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx_ir as ir

from assay.conformance.parity.diagnoses.declarations import Redeclare, SetVersions, edge
from assay.conformance.parity.diagnoses.diagnosis import Diagnosis
from assay.conformance.parity.diagnoses.mends import SetConstants
from assay.conformance.parity.diagnoses.nodes import graft, transplant
from assay.conformance.parity.localisation.evidence import Evidence
from assay.conformance.parity.localisation.graph import name_of

_LISTED = 3


def restorations(evidence: Evidence) -> Iterator[Diagnosis]:
    """What can be restored, from the file's outside to its nodes."""
    if evidence.healthy is None:
        return
    own, healthy = evidence.candidate.model, evidence.healthy.graph.model
    yield from _versions(own, healthy)
    yield from _declarations(own, healthy)
    yield from _weights(evidence, healthy)
    yield from _node(evidence)


def unreadable_weights(own: ir.Model, healthy: ir.Model) -> Diagnosis | None:
    """The weights whose bytes are not to be had: external data that is missing or outside the folder, or cut off."""
    lost = [name for name, value in own.graph.initializers.items() if not _is_readable(value.const_value)]
    known = {name: name for name in lost if name in healthy.graph.initializers}
    if not known:
        return None
    return Diagnosis("unreadable-weights", f"{_listed(lost)} can't be read", mend=SetConstants(known))


def other_weights(own: ir.Model, healthy: ir.Model) -> Diagnosis | None:
    """The weights that differ from those of the same name, shape and dtype."""
    known = ((name, value.const_value, healthy.graph.initializers.get(name)) for name, value in _stored(own))
    names = {name: name for name, tensor, other in known if other is not None and _differs(tensor, other.const_value)}
    sentence = f"{_listed(list(names))} differ from the source's"
    return Diagnosis("weights", sentence, mend=SetConstants(names)) if names else None


def _stored(model: ir.Model) -> Iterator[tuple[str, ir.Value]]:
    return ((name, value) for name, value in model.graph.initializers.items() if value.const_value is not None)


def _differs(tensor: ir.TensorProtocol | None, other: ir.TensorProtocol | None) -> bool:
    if tensor is None or other is None or (tensor.dtype, tensor.shape) != (other.dtype, other.shape):
        return False
    return not np.array_equal(tensor.numpy(), other.numpy())


def _versions(own: ir.Model, healthy: ir.Model) -> Iterator[Diagnosis]:
    wanted = {domain: own.opset_imports.get(domain) for domain in healthy.opset_imports}
    if (own.ir_version, wanted) != (healthy.ir_version, healthy.opset_imports):
        stated = f"IR version {own.ir_version} and operators {wanted}"
        should = f"IR version {healthy.ir_version} and operators {dict(healthy.opset_imports)}"
        yield Diagnosis("versions", f"the file states {stated}, but should state {should}", mend=SetVersions())


def _declarations(own: ir.Model, healthy: ir.Model) -> Iterator[Diagnosis]:
    declared, should = edge(own), edge(healthy)
    for part, values in declared.items():
        if values != should[part]:
            sentence = f"{part} are declared as {', '.join(values)}, but should be as {', '.join(should[part])}"
            yield Diagnosis("declarations", sentence, mend=Redeclare(), of_interface=True)


def _weights(evidence: Evidence, healthy: ir.Model) -> Iterator[Diagnosis]:
    """All weights of the same name that differ: a defect may sit in several."""
    names = {}
    for name, tensor in evidence.candidate.constants.items():
        other = healthy.graph.initializers.get(name)
        if other is None or other.const_value is None:
            continue
        got, expected = tensor.numpy(), other.const_value.numpy()
        if got.shape != expected.shape or got.dtype != expected.dtype or not np.array_equal(got, expected):
            names[name] = name
    if names:
        yield Diagnosis("weights", f"{_listed(list(names))} differ from the source's", mend=SetConstants(names))


def _node(evidence: Evidence) -> Iterator[Diagnosis]:
    node = evidence.node
    for mend in (transplant(evidence), graft(evidence)):
        if node is not None and mend is not None:
            sentence = f"{node.op_type} {name_of(node)} gives {mend.wrong}, which is now computed as in the source"
            yield Diagnosis("transplant", sentence, name_of(node), mend=mend)


def _is_readable(tensor: ir.TensorProtocol | None) -> bool:
    try:
        return tensor is None or tensor.numpy() is not None
    except (ValueError, OSError):
        return False


def _listed(names: list[str]) -> str:
    told = f"{', '.join(names[:_LISTED])}{', ...' if len(names) > _LISTED else ''}"
    return f"{'weight' if len(names) == 1 else f'{len(names)} weights:'} {told}"
