"""Sizes and values of the traced run that became constants of the graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import onnx_ir as ir

from assay.conformance.parity.diagnoses.diagnosis import Diagnosis
from assay.conformance.parity.diagnoses.nodes import transplant
from assay.conformance.parity.localisation.evidence import Evidence
from assay.conformance.parity.localisation.graph import name_of
from assay.converters.examples import trace_sizes
from assay.specs.interface import Axis

_TARGETS = {"Reshape": 1, "Expand": 1, "Tile": 1, "ConstantOfShape": 0}
_LARGEST = 64  # elements: more are a table, not a target


def baked_target(evidence: Evidence) -> Iterator[Diagnosis]:
    """A shape that is the constant of one traced size."""
    node = evidence.node
    place = _TARGETS.get(node.op_type) if node is not None else None
    if node is None or place is None or place >= len(node.inputs):
        return
    target = _whole_numbers(evidence, node, place)
    if target is None:
        return
    baked = _baked_axes(evidence, node, target)
    if not baked:
        return
    told = ", ".join(f"{axis} is baked to {size}" for axis, size in baked.items())
    sentence = f"{told} in {node.op_type} {name_of(node)}: its target is {target.tolist()}"
    yield Diagnosis(
        "baked-target", sentence, name_of(node), {"target": target.tolist(), "axes": baked}, transplant(evidence)
    )


def baked_value(evidence: Evidence) -> Iterator[Diagnosis]:
    """A constant where the healthy graph computes the value from an input."""
    node, twin = evidence.node, evidence.twin
    if node is None or twin is None or evidence.healthy is None or node.op_type != twin.op_type:
        return
    healthy = evidence.healthy.graph
    for index, (own, other) in enumerate(zip(node.inputs, twin.inputs, strict=False)):
        if (
            own is None
            or other is None
            or own.name not in evidence.candidate.constants
            or other.name in healthy.constants
        ):
            continue
        made = healthy.producers.get(other.name or "")
        if made is None:
            sentence = (
                f"input {other.name} is ignored from node {name_of(node)} on, which takes a constant in its place"
            )
            yield Diagnosis("ignored-input", sentence, name_of(node), {"input": index}, transplant(evidence))
            continue
        source = f"come from {made.op_type} {name_of(made)}"
        sentence = (
            f"input {index} of {node.op_type} {name_of(node)} is a constant{_shown(evidence, own)}, but should {source}"
        )
        yield Diagnosis("baked-value", sentence, name_of(node), {"input": index}, transplant(evidence))


def other_constant(evidence: Evidence) -> Iterator[Diagnosis]:
    """Whole numbers (axes, bounds, indices) other than the healthy graph's."""
    node, twin = evidence.node, evidence.twin
    if node is None or twin is None or evidence.healthy is None or node.op_type != twin.op_type:
        return
    healthy = evidence.healthy.graph
    for index, (own, other) in enumerate(zip(node.inputs, twin.inputs, strict=False)):
        if own is None or other is None:
            continue
        got, expected = evidence.candidate.array(own.name or ""), healthy.array(other.name or "")
        if got is None or expected is None or np.array_equal(got, expected) or got.dtype.kind == "f":
            continue
        sentence = f"input {index} of {node.op_type} {name_of(node)} is {_text(got)}, but should be {_text(expected)}"
        yield Diagnosis("other-constant", sentence, name_of(node), {"input": index}, transplant(evidence))


def _whole_numbers(evidence: Evidence, node: ir.Node, place: int) -> np.ndarray | None:
    value = node.inputs[place]
    name = value.name or "" if value is not None else ""
    array = evidence.candidate.array(name)
    if array is None and node is evidence.failed:
        array = evidence.alignment.got.arrays.get(name)  # a part of it may be baked
    return array.ravel() if array is not None and array.dtype.kind in "iu" and 0 < array.size <= _LARGEST else None


def _baked_axes(evidence: Evidence, node: ir.Node, target: np.ndarray) -> dict[str, int]:
    """The dynamic axes whose traced size stands in the target where the healthy graph has another."""
    right = _right_shape(evidence, node)
    if right is None or len(right) != len(target):
        return _traced_axes(evidence, target) if node is evidence.failed else {}
    off = [(int(got), size) for got, size in zip(target, right, strict=True) if got > 0 and got != size]
    return {_axis_of(evidence, got, size): got for got, size in off}


def _traced_axes(evidence: Evidence, target: np.ndarray) -> dict[str, int]:
    """Of a node that fails and of which nothing else is known: the axes whose traced sizes are in the target."""
    sizes, traced = sizes_of(evidence), trace_sizes(evidence.interface)
    moved = {name: traced[name] for name, size in sizes.items() if size != traced[name]}
    return {name: size for name, size in moved.items() if any(got > 0 and got % size == 0 for got in target)}


def _right_shape(evidence: Evidence, node: ir.Node) -> tuple[int, ...] | None:
    twin = evidence.twin
    name = twin.outputs[0].name if twin is not None and twin.op_type == node.op_type else None
    array = evidence.alignment.expected.arrays.get(name or "")
    if array is None and evidence.lost is not None:
        array = evidence.lost.value
    return None if array is None else array.shape


def _axis_of(evidence: Evidence, got: int, size: int) -> str:
    """The axis of which the baked number is the traced size, or a multiple, and the right one the size on the probe."""
    sizes, traced = sizes_of(evidence), trace_sizes(evidence.interface)
    moved = [name for name, one in sizes.items() if got * one == size * traced[name] and one != traced[name]]
    exact = [name for name in moved if sizes[name] == size]
    return (exact or moved or ["an axis"])[0]


def sizes_of(evidence: Evidence) -> Mapping[str, int]:
    """The size of each dynamic axis on the probe."""
    return {
        dim.name: evidence.feeds[spec.name].shape[index]
        for spec in evidence.interface.inputs
        if spec.name in evidence.feeds
        for index, dim in enumerate(spec.dims or ())
        if isinstance(dim, Axis)
    }


def _shown(evidence: Evidence, value: ir.Value) -> str:
    array = evidence.candidate.array(value.name or "")
    return f" {_text(array)}" if array is not None and array.size <= 8 else ""


def _text(array: np.ndarray) -> str:
    return str(array.tolist()) if array.size <= 16 else f"an array of {array.size} numbers"
