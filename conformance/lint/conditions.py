"""SH: the conditions on which a model says that it is right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from assay.conformance.lint.candidate import StaticCandidate
from assay.conformance.lint.registry import FilePart, Violation, rule
from assay.converters.contract import CONDITIONS_KEY
from assay.converters.files import UnreadableError
from assay.converters.interface_json import FILE_NAME, interface_file
from assay.specs.condition_sets import bounded, nearest
from assay.specs.conditions import Condition, ConditionError
from assay.specs.interface import Axis


@rule("SH020")
def conditions_can_be_kept(candidate: StaticCandidate) -> Iterator[Violation]:
    """Each condition can be read and names axes that exist; together they leave a size; both places say the same."""
    metadata, file = _in_metadata(candidate), _in_interface(candidate)
    if metadata is not None and file is not None and metadata != file:
        part = FilePart(candidate.path.name, CONDITIONS_KEY)
        yield Violation(part, f"states {_told(metadata)}, but should state {_told(file)} as {FILE_NAME} does")
    part = FilePart(candidate.path.name, CONDITIONS_KEY) if file is None else FilePart(FILE_NAME, "conditions")
    yield from _broken(candidate, part, metadata if file is None else file)


def _broken(candidate: StaticCandidate, part: FilePart, stated: Any) -> Iterator[Violation]:
    if stated is None:
        return
    if not isinstance(stated, list) or not all(isinstance(text, str) for text in stated):
        yield Violation(part, f"is {_told(stated)}, but should be a list of conditions")
        return
    conditions = []
    for text in stated:
        try:
            condition = Condition(text)
        except ConditionError as error:
            yield Violation(part, f"{error}")
            continue
        unknown = sorted(condition.names - candidate.axes)
        if unknown:
            yield Violation(part, f"{condition} names {', '.join(unknown)}, but should name axes of the inputs alone")
        else:
            conditions.append(condition)
    yield from _contradictions(candidate, part, conditions)


def _contradictions(candidate: StaticCandidate, part: FilePart, conditions: list[Condition]) -> Iterator[Violation]:
    """Conditions that no sizes within the bounds of the axes satisfy."""
    bounds = candidate.interface.axes if candidate.interface is not None else {}
    axes = {name: bounds.get(name, Axis(name)) for name in candidate.axes}
    empty = [name for name, axis in sorted(axes.items()) if bounded(axis, conditions) is None]
    for name in empty:
        own = " and ".join(str(condition) for condition in conditions if condition.names == {name})
        yield Violation(part, f"{own} leaves no size of {axes[name]}, but should leave one")
    start = {name: max(axis.minimum, 1) for name, axis in axes.items()}
    if not empty and conditions and nearest(start, axes, conditions) is None:
        yield Violation(part, f"no sizes satisfy {' and '.join(map(str, conditions))}, but some should")


def _in_metadata(candidate: StaticCandidate) -> Any:
    """What the metadata states: JSON, a text where it is none, None where there is nothing."""
    text = candidate.model.metadata_props.get(CONDITIONS_KEY)
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return text


def _in_interface(candidate: StaticCandidate) -> Any:
    """What the file beside the model states; an empty list where it can be read and states nothing."""
    if candidate.interface is not None:
        return [str(condition) for condition in candidate.interface.conditions]
    if candidate.interface_fault is None:
        return None
    try:
        content = json.loads(interface_file(candidate.path))
    except (ValueError, RecursionError, UnreadableError):
        return None
    return content.get("conditions") if isinstance(content, dict) else None


def _told(stated: Any) -> str:
    if isinstance(stated, list) and all(isinstance(one, str) for one in stated):
        return " and ".join(stated) or "none"
    return repr(stated)[:120]
