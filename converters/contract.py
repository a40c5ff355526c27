"""On what sizes a converted model is right: the conditions that its code set, beside those that were asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import onnx_ir as ir

from assay.converters.exporter import ConvertError
from assay.converters.passes.stamp_metadata import sort_metadata
from assay.specs.condition_sets import allowed, bounded, nearest, simplified
from assay.specs.conditions import Condition
from assay.specs.interface import Axis, Dim, Interface, TensorSpec

CONDITIONS_KEY = "assay.conditions"
_ADVICE = "change the code, or go on with --ladder, which tries other exporters and proves what they write"


@dataclass(frozen=True)
class Clause:
    """A condition, and the line of the model's code that it comes from, as ``file.py:12``.

    ``of_operator`` where no code of the model asked, but an operator that works at any size, for its own sake.
    """

    condition: Condition
    line: str | None = None
    of_operator: bool = False


def contracted(source: str, interface: Interface, clauses: Sequence[Clause]) -> Interface:
    """The interface with the conditions of these clauses, and axes that are as narrow as those make them.

    Raises `ConvertError` where they leave less than was asked for in so many words: an axis that has one size only, or
    hardly more than the one it was traced at, or that can't reach a bound which the interface states.
    """
    axes = interface.axes
    known = [clause for clause in clauses if clause.condition.names <= set(axes)]
    conditions = simplified([clause.condition for clause in known], axes)
    bounds = {name: bounded(axis, conditions) for name, axis in axes.items()}
    impossible = nearest({name: axis.minimum for name, axis in axes.items()}, axes, conditions) is None
    faults = [fault for name in axes if (fault := _fault(axes[name], bounds[name], conditions, known))]
    if faults:
        raise ConvertError(source, f"{'; '.join(faults)}; {_ADVICE}")
    if impossible:
        raise ConvertError(source, f"no sizes satisfy {' and '.join(map(str, conditions))}")
    return narrowed(replace(interface, conditions=conditions))


def state_conditions(model: ir.Model, conditions: Sequence[Condition]) -> None:
    """Set the metadata key to a JSON array of the conditions' texts, where there are any."""
    if conditions:
        model.metadata_props[CONDITIONS_KEY] = json.dumps([str(condition) for condition in conditions])
        sort_metadata(model)


def stated_conditions(model: ir.Model) -> tuple[Condition, ...]:
    """The conditions in the metadata of a model; raises `ConditionError` or ValueError where they can't be read."""
    text = model.metadata_props.get(CONDITIONS_KEY)
    texts = json.loads(text) if text else []
    if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
        raise ValueError(f"{CONDITIONS_KEY} is no JSON array of texts")
    return tuple(map(Condition, texts))


def narrowed(interface: Interface) -> Interface:
    """The same with the bounds of axes that follow from its conditions."""
    axes = {name: bounded(axis, interface.conditions) or axis for name, axis in interface.axes.items()}
    return replace(interface, inputs=tuple(_with_axes(spec, axes) for spec in interface.inputs))


def excess(asked: Axis, left: Axis | None) -> str | None:
    """What was asked for in so many words and is not left, as the end of a sentence; None where nothing is amiss."""
    if left is None:
        return "no size is left"
    if asked.maximum is not None and left.maximum is not None and left.maximum < asked.maximum:
        return f"it holds to {left.maximum} only, but should hold to {asked.maximum}"
    if 1 < asked.minimum < left.minimum:
        return f"it holds from {left.minimum} only, but should hold from {asked.minimum}"
    return None


def _fault(asked: Axis, left: Axis | None, conditions: Sequence[Condition], clauses: Sequence[Clause]) -> str | None:
    """Why this axis is not what was asked for, and what to write instead."""
    where = _where(asked.name, clauses)
    if left is not None and left.minimum == left.maximum != asked.maximum:
        size = left.minimum
        told = f"axis {asked.name} is fixed to {size} by the model's code{where}, but should be dynamic"
        return f"{told}; write {size} in place of {asked.name} in its input to accept that"
    if left is not None and _is_unrolled(asked, left, conditions):
        told = f"axis {asked.name} is held to {left.minimum} to {left.maximum} by the model's code{where}"
        accepted = f"{asked.name}>={left.minimum}<={left.maximum}"
        return f"{told}, but should be dynamic; write {accepted} in its input to accept that"
    reason = excess(asked, left)
    return f"axis {asked.name} is bounded by the model's code{where}: {reason}" if reason else None


def _is_unrolled(asked: Axis, left: Axis, conditions: Sequence[Condition]) -> bool:
    """Whether a loop over the axis was written out: neither half nor twice its largest size is left."""
    if left.maximum is None or (asked.minimum, asked.maximum) == (left.minimum, left.maximum):
        return False
    sizes, fits = allowed(asked.name, asked, conditions)
    return bool(asked.maximum is None and 2 * left.minimum > left.maximum and fits.sum() < sizes.size)


def _where(name: str, clauses: Sequence[Clause]) -> str:
    lines = [clause.line for clause in clauses if clause.line and name in clause.condition.names]
    return f" at {', '.join(dict.fromkeys(lines))}" if lines else ""


def _with_axes(spec: TensorSpec, axes: dict[str, Axis]) -> TensorSpec:
    if spec.dims is None:
        return spec
    return replace(spec, dims=tuple(_narrowed(dim, axes) for dim in spec.dims))


def _narrowed(dim: Dim, axes: dict[str, Axis]) -> Dim:
    return dim if isinstance(dim, int) or dim.name not in axes else axes[dim.name]
