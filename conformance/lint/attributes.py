"""OP: attributes and constant arguments of operators that change the answer, or that runtimes read differently."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import isclose

import numpy as np
import onnx_ir as ir

from assay.conformance.lint.candidate import StaticCandidate
from assay.conformance.lint.dataflow import input_of
from assay.conformance.lint.location import MODULE, SETTING
from assay.conformance.lint.operator_forms import form_of
from assay.conformance.lint.registry import Violation, rule
from assay.conformance.lint.weight_statistics import Array

NORMALIZATIONS = (
    *("LayerNormalization", "BatchNormalization", "InstanceNormalization", "GroupNormalization", "RMSNormalization"),
    *("SimplifiedLayerNormalization", "SkipLayerNormalization", "SkipSimplifiedLayerNormalization"),
)
_EPSILONS = 1e-15, 1e-2
_PICTURE = slice(2, None)
_AXIS_OPERATORS = (
    *("Softmax", "LogSoftmax", "Hardmax", "Concat", "Gather", "GatherElements", "Split", "ArgMax", "ArgMin"),
    *("TopK", "LayerNormalization", "ScatterElements", "Compress"),
)


@rule("OP012")
def softmax_is_unambiguous(candidate: StaticCandidate) -> Iterator[Violation]:
    """Before opset 13 a Softmax flattens what follows its axis; so the axis is the last."""
    if candidate.model.opset_imports.get("", 13) >= 13:
        return
    for node in candidate.nodes("Softmax", "LogSoftmax", "Hardmax"):
        shape, axis = candidate.shape_of(node.inputs[0]), node.attributes.get_int("axis", 1)
        if shape is not None and len(shape) > 2 and axis % len(shape) != len(shape) - 1:
            got = f"axis is {axis} of {len(shape)} at an opset before 13, which flattens all that follow"
            yield Violation(node, f"{got}, but should be the last")


@rule("OP019")
def epsilon_is_sane(candidate: StaticCandidate) -> Iterator[Violation]:
    """The epsilon of a normalization keeps from dividing by zero, and changes nothing else."""
    for node in candidate.nodes(*NORMALIZATIONS, domain=None):
        epsilon = node.attributes.get_float("epsilon", 1e-5)
        if not _EPSILONS[0] <= epsilon <= _EPSILONS[1]:
            yield Violation(
                node, f"epsilon is {epsilon:g}, but should be between {_EPSILONS[0]:g} and {_EPSILONS[1]:g}"
            )


@rule("OP020")
def epsilon_is_one(candidate: StaticCandidate) -> Iterator[Violation]:
    """Normalizations of one kind have one epsilon throughout the model."""
    for operator in NORMALIZATIONS:
        epsilons = {node: node.attributes.get_float("epsilon", 1e-5) for node in candidate.nodes(operator, domain=None)}
        counts = Counter(epsilons.values()).most_common()
        if len(counts) > 1 and counts[0][1] >= 2 * sum(count for _, count in counts[1:]):
            usual, often = counts[0]
            odd = [node for node, epsilon in epsilons.items() if epsilon != usual]
            sentence = (
                f"epsilon is {epsilons[odd[0]]:g}, but should be {usual:g} as in {often} others unless that is meant"
            )
            yield Violation(odd[0], sentence, {"count": len(odd)})


@rule("OP021")
def coordinates_are_common(candidate: StaticCandidate) -> Iterator[Violation]:
    """A Resize whose output may be one pixel does not say pytorch_half_pixel, which differs from PyTorch there."""
    for node in candidate.nodes("Resize"):
        shape = candidate.shape_of(node.outputs[0])
        may_be_one = shape is None or any(not isinstance(dim, int) or dim == 1 for dim in shape[_PICTURE])
        if (
            node.attributes.get_string("coordinate_transformation_mode", "half_pixel") == "pytorch_half_pixel"
            and may_be_one
        ):
            got = "coordinates are pytorch_half_pixel and the output may be one pixel wide"
            yield Violation(node, f"{got}, but should be half_pixel, as PyTorch computes")


@rule("OP022")
def antialiasing_is_usual(candidate: StaticCandidate) -> Iterator[Violation]:
    """An antialiased Resize has the coefficients that picture libraries have."""
    for node in candidate.nodes("Resize"):
        if not node.attributes.get_int("antialias", 0):
            continue
        cubic = node.attributes.get_string("mode", "nearest") == "cubic"
        coefficient = node.attributes.get_float("cubic_coeff_a", -0.75)
        if cubic and coefficient != -0.5:
            yield Violation(node, f"cubic_coeff_a is {coefficient:g} with antialias, but should be -0.5 as in PyTorch")
        if not node.attributes.get_int("exclude_outside", 0):
            yield Violation(node, "exclude_outside is 0 with antialias, but should be 1 as in PyTorch")


@rule("OP023")
def average_does_not_round_up(candidate: StaticCandidate) -> Iterator[Violation]:
    """No AveragePool has windows that begin beyond the data: runtimes count them differently."""
    for node in candidate.nodes("AveragePool"):
        if node.attributes.get_int("ceil_mode", 0):
            yield Violation(node, "ceil_mode is 1, which runtimes average differently at the border, but should be 0")


@rule("OP027")
def scattered_places_differ(candidate: StaticCandidate) -> Iterator[Violation]:
    """No two elements are written to one place without a reduction."""
    for node in candidate.nodes("ScatterND", "ScatterElements"):
        indices = candidate.constant(input_of(node, 1))
        if indices is None or indices.ndim < 1 or node.attributes.get_string("reduction", "none") != "none":
            continue
        if _has_repeats(node, indices):
            yield Violation(node, "writes to one place more than once, but should to each once, or have a reduction")


def _has_repeats(node: ir.Node, indices: Array) -> bool:
    if node.op_type == "ScatterND":
        rows = indices.reshape(-1, indices.shape[-1]) if indices.size else indices.reshape(0, 1)
        return len(np.unique(rows, axis=0)) < len(rows)
    axis = node.attributes.get_int("axis", 0)
    return bool((np.diff(np.sort(indices, axis=axis), axis=axis) == 0).any())


@rule("OP028")
def recurrence_is_time_first(candidate: StaticCandidate) -> Iterator[Violation]:
    """Recurrent operators have the layout that runtimes implement."""
    for node in candidate.nodes("LSTM", "GRU", "RNN"):
        if node.attributes.get_int("layout", 0):
            yield Violation(node, "layout is 1, which ONNX Runtime refuses, but should be 0 with a Transpose around it")


@rule("OP029")
def boxes_are_kept(candidate: StaticCandidate) -> Iterator[Violation]:
    """A NonMaxSuppression says how many boxes it may give; the default is none."""
    for node in candidate.nodes("NonMaxSuppression"):
        value = input_of(node, 2)
        if value is None or candidate.scalar(value) == 0:
            got = "max_output_boxes_per_class is " + ("absent" if value is None else "0")
            yield Violation(node, f"{got}, which gives no box at all, but should be positive")


@rule("OP035")
def index_is_in_range(candidate: StaticCandidate) -> Iterator[Violation]:
    """No constant index lies beyond its axis."""
    for node in candidate.nodes("Gather", "GatherElements"):
        shape, indices = candidate.shape_of(node.inputs[0]), candidate.constant(input_of(node, 1))
        axis = node.attributes.get_int("axis", 0)
        size = shape[axis] if shape and -len(shape) <= axis < len(shape) else None
        if indices is None or not indices.size or not isinstance(size, int):
            continue
        low, high = int(indices.min()), int(indices.max())
        if low < -size or high >= size:
            wrong = high if high >= size else low
            yield Violation(node, f"index {wrong} lies beyond axis {axis} of size {size}, but should lie within")


@rule("OP041")
def attribute_is_the_sources(candidate: StaticCandidate) -> Iterator[Violation]:
    """Attributes are what the source's layer was told, where the node keeps a record of that."""
    for node in candidate.all_nodes:
        told = {key: text for key, text in node.metadata_props.items() if key.startswith(SETTING)}
        for name, text in ((key.removeprefix(SETTING), text) for key, text in told.items()):
            got = _attribute(candidate, node, name)
            if got is not None and not _is_same(got, text):
                layer = node.metadata_props.get(MODULE, "")
                got_text = got if isinstance(got, str) else f"{got:g}"
                yield Violation(node, f"{name} is {got_text}, but should be {text} as in the source's layer {layer}")


def _attribute(candidate: StaticCandidate, node: ir.Node, name: str) -> float | str | None:
    """The value of an attribute, or its default."""
    held = node.attributes.get(name)
    if held is None:
        form = form_of(node.op_type, candidate.model.opset_imports.get(node.domain, 1), node.domain)
        value = None if form is None else form.defaults.get(name)
    else:
        value = None if held.is_ref() else held.value
    return value if isinstance(value, (float, str)) else None


def _is_same(got: float | str, told: str) -> bool:
    """Numbers to the precision of float32, which attributes have."""
    if isinstance(got, str):
        return got == told
    try:
        return isclose(got, float(told), rel_tol=1e-6)
    except ValueError:
        return False


@rule("OP043")
def axis_is_in_rank(candidate: StaticCandidate) -> Iterator[Violation]:
    """No operator names an axis that its data does not have."""
    for node in candidate.nodes(*_AXIS_OPERATORS):
        shape, axis = candidate.shape_of(input_of(node, 0)), node.attributes.get_int("axis", 0)
        if shape and not -len(shape) <= axis < len(shape):
            yield Violation(node, f"axis is {axis}, but should be within the {len(shape)} axes of the data")
