"""Defects that every conversion of the source shares: named by the source's operation that got lost."""

from __future__ import annotations

from collections.abc import Iterator

from assay.conformance.parity.diagnoses.baked import sizes_of
from assay.conformance.parity.diagnoses.diagnosis import Diagnosis
from assay.conformance.parity.localisation.evidence import Evidence
from assay.conformance.parity.localisation.graph import name_of
from assay.converters.sources.recorded import Recorded

_POOLS = ("AveragePool", "MaxPool", "LpPool")
_FLOORS = frozenset({"floor_divide", "FloorDiv", "floor_div"})
_REMAINDERS = frozenset({"remainder", "fmod", "FloorMod", "Mod"})


def unknown_operator(evidence: Evidence) -> Iterator[Diagnosis]:
    """The runtime does not load the model because of a node of an operator that it does not know."""
    node, text = evidence.failed, evidence.failure or ""
    if node is not None and node.op_type in text and any(word in text for word in ("not a registered", "No Op registered")):
        domain = node.domain or "ai.onnx"
        sentence = f"{node.op_type} {name_of(node)} is no operator of {domain}: the exporter wrote what no runtime knows"
        yield Diagnosis("unknown-operator", sentence, name_of(node), {"op": node.op_type})


def fixed_window(evidence: Evidence) -> Iterator[Diagnosis]:
    """Adaptive pooling whose window is that of the traced size."""
    node, lost = evidence.node, evidence.lost
    if evidence.healthy is not None or node is None or lost is None or node.op_type not in _POOLS or "adaptive" not in lost.op:
        return
    window = list(node.attributes["kernel_shape"].as_ints()) if "kernel_shape" in node.attributes else []
    sizes = ", ".join(f"{name}={size}" for name, size in sizes_of(evidence).items())
    sentence = (
        f"kernel_shape of {node.op_type} {name_of(node)} is baked to {window} from the traced size, "
        f"but {_place(lost)} follows the size of its input, here {sizes}"
    )
    yield Diagnosis("baked-window", sentence, name_of(node), {"kernel_shape": window, "source": lost.op})


def truncated_division(evidence: Evidence) -> Iterator[Diagnosis]:
    """A division of whole numbers that rounds towards zero where the source rounds down."""
    node, lost = evidence.node, evidence.lost
    other = evidence.twin.op_type if evidence.twin is not None else None
    if node is None or not (node.op_type in ("Div", "Mod", "Cast") or (lost and lost.op in _FLOORS | _REMAINDERS)):
        return
    if lost is not None and lost.op in _FLOORS | _REMAINDERS:
        sentence = f"{node.op_type} {name_of(node)} rounds towards zero, but {_place(lost)} rounds down"
        yield Diagnosis("truncated-division", sentence, name_of(node), {"source": lost.op, "twin": other})


def other_path(evidence: Evidence) -> Iterator[Diagnosis]:
    """An operation of the source without a counterpart: the graph took another path, or computes it otherwise."""
    node, lost = evidence.node, evidence.lost
    if evidence.healthy is not None or node is None or lost is None:
        return
    sentence = f"{node.op_type} {name_of(node)} stands where {_place(lost)} runs, and gives something else"
    told = {"source": lost.op, "exporters": {one.exporter: one.reason for one in evidence.unhealthy}}
    yield Diagnosis("export", sentence, name_of(node), told)


def _place(record: Recorded) -> str:
    where = [part for part in (record.module, record.line) if part]
    return f"the source's {record.op}" + (f" ({', '.join(where)})" if where else "")
