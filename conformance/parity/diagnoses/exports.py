"""Defects that every conversion of the source shares: named by the source's operation that got lost."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from assay.conformance.parity.diagnoses.baked import sizes_of
from assay.conformance.parity.diagnoses.diagnosis import Diagnosis
from assay.conformance.parity.diagnoses.nodes import graft
from assay.conformance.parity.localisation.evidence import NOT_LOADED, Evidence
from assay.conformance.parity.localisation.graph import name_of
from assay.converters.sources.recorded import Recorded

_POOLS = ("AveragePool", "MaxPool", "LpPool")
_FLOORS = frozenset({"floor_divide", "FloorDiv", "floor_div"})
_LOWEST = -1e30  # what is below is meant as minus infinity
_REMAINDERS = frozenset({"remainder", "fmod", "FloorMod", "Mod"})


def unknown_operator(evidence: Evidence) -> Iterator[Diagnosis]:
    """The runtime does not load the model because of a node of an operator that it does not know."""
    node, text = evidence.failed, evidence.failure or ""
    if node is not None and node.op_type in text and any(word in text for word in NOT_LOADED):
        domain = node.domain or "ai.onnx"
        sentence = (
            f"{node.op_type} {name_of(node)} is no operator of {domain}: the exporter wrote what no runtime knows"
        )
        yield Diagnosis("unknown-operator", sentence, name_of(node), {"op": node.op_type}, graft(evidence))


def fixed_window(evidence: Evidence) -> Iterator[Diagnosis]:
    """Adaptive pooling whose window is that of the traced size."""
    node, place = evidence.node, _adaptive(evidence)
    if node is None or place is None or node.op_type not in _POOLS:
        return
    window = list(node.attributes["kernel_shape"].as_ints()) if "kernel_shape" in node.attributes else []
    sizes = ", ".join(f"{name}={size}" for name, size in sizes_of(evidence).items())
    sentence = (
        f"kernel_shape of {node.op_type} {name_of(node)} is baked to {window} from the traced size, "
        f"but {place} follows the size of its input, here {sizes}"
    )
    yield Diagnosis("baked-window", sentence, name_of(node), {"kernel_shape": window}, graft(evidence))


def _adaptive(evidence: Evidence) -> str | None:
    """What pools to a given size: the source's operation, or the healthy graph's, which has no one window for it."""
    lost, twin = evidence.lost, evidence.twin
    if evidence.healthy is None:
        return _place(lost) if lost is not None and "adaptive" in lost.op else None
    return f"that of {evidence.healthy.exporter}" if twin is not None and twin.op_type not in _POOLS else None


def truncated_division(evidence: Evidence) -> Iterator[Diagnosis]:
    """A division of whole numbers that rounds towards zero where the source rounds down."""
    node, lost = evidence.node, evidence.lost
    if node is not None and lost is not None and lost.op in _FLOORS | _REMAINDERS:
        sentence = f"{node.op_type} {name_of(node)} rounds towards zero, but {_place(lost)} rounds down"
        yield Diagnosis("truncated-division", sentence, name_of(node), {"source": lost.op}, graft(evidence))


def other_path(evidence: Evidence) -> Iterator[Diagnosis]:
    """An operation of the source without a counterpart: the graph took another path, or computes it otherwise."""
    node, lost = evidence.node, evidence.lost
    if node is None or lost is None or evidence.alignment.is_close:
        return
    sentence = f"{node.op_type} {name_of(node)} stands where {_place(lost)} runs, and gives something else"
    told = {"source": lost.op, "exporters": {one.exporter: one.reason for one in evidence.unhealthy}}
    yield Diagnosis("export", sentence, name_of(node), told, graft(evidence))


def finite_mask(evidence: Evidence) -> Iterator[Diagnosis]:
    """A mask by the lowest finite number where the source has -inf: they differ in rows that are masked whole."""
    node, lost = evidence.node, evidence.lost
    got = evidence.alignment.got.arrays.get(evidence.guilty.value) if evidence.guilty else None
    if node is None or lost is None or got is None or got.dtype.kind != "f" or lost.value.dtype.kind != "f":
        return
    lowest = float(got.min(initial=0.0))
    if -np.inf < lowest < _LOWEST and np.isneginf(lost.value).any():
        sentence = (
            f"{node.op_type} {name_of(node)} masks by {lowest:.3g}, but {_place(lost)} by -inf: "
            "a row that is masked whole gives the mean of all values in place of what the source gives"
        )
        yield Diagnosis("finite-mask", sentence, name_of(node), {"source": lost.op, "got": lowest}, graft(evidence))


def optimizer(evidence: Evidence) -> Iterator[Diagnosis]:
    """A model that the runtime loads without graph optimization, and refuses with it."""
    if evidence.not_loaded and evidence.failed is None and evidence.guilty is None:
        sentence = (
            "the runtime loads the model without graph optimization, but refuses what its own optimizer makes of it"
        )
        yield Diagnosis("optimizer", sentence, of_interface=True)


def _place(record: Recorded) -> str:
    where = [part for part in (record.module, record.line) if part]
    return f"the source's {record.op}" + (f" ({', '.join(where)})" if where else "")
