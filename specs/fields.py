"""Fields: what a bundle states beside its graph, how inputs are made from the world and what outputs mean in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from assay.specs.data import PROFILE, UnknownNameError, load_yaml
from assay.specs.errors import AssayError
from assay.specs.tasks import Task

PREPROCESSING = "preprocessing"
POSTPROCESSING = "postprocessing"


@dataclass(frozen=True)
class StatedField:
    """A field: the stages it belongs to, the JSON type of its value, the values it may have (none listed: any)."""

    name: str
    stages: tuple[str, ...]
    type: str
    meaning: str
    values: tuple[str, ...] = ()
    example: Any = None

    def key(self, stage: str) -> str:
        """The metadata key, such as ``assay.preprocessing.mean``; its value is JSON."""
        return f"assay.{stage}.{self.name}"


@cache
def load_fields() -> dict[str, StatedField]:
    """All fields by name, in the order of the file."""
    return {entry["name"]: _field(entry) for entry in load_yaml(PROFILE / "fields.yaml")}


def missing_keys(task: Task, metadata: Mapping[str, str]) -> tuple[str, ...]:
    """The metadata keys that a bundle of the task must have and this one lacks."""
    stages = ((PREPROCESSING, task.preprocessing), (POSTPROCESSING, task.postprocessing))
    keys = [load_fields()[name].key(stage) for stage, fields in stages for name in fields.must]
    return tuple(key for key in keys if not metadata.get(key))


def stated(fields: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The metadata for ``{"preprocessing": {"layout": "NCHW"}}``; raises `UnknownNameError` or `FieldError`."""
    return {key: text for stage, values in fields.items() for key, text in _stated(stage, values)}


class FieldError(AssayError):
    """A field whose value is not of its kind."""

    def __init__(self, name: str, value: Any, wanted: str) -> None:
        super().__init__(name, value, wanted)
        self.name, self.value, self.wanted = name, value, wanted

    def __str__(self) -> str:
        return f"{self.name} is {self.value!r}, but should be {self.wanted}"


_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "strings": lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    "number": lambda value: _is_number(value),
    "numbers": lambda value: isinstance(value, list) and all(map(_is_number, value)),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
}


def _stated(stage: str, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    known = {name: field for name, field in load_fields().items() if stage in field.stages}
    for name, value in values.items():
        if name not in known:
            raise UnknownNameError(f"{stage} field", name, tuple(known))
        field = known[name]
        if not _TYPES.get(field.type, lambda _value: True)(value):
            raise FieldError(f"{stage}.{name}", value, f"of type {field.type}")
        if field.values and value not in field.values:
            raise FieldError(f"{stage}.{name}", value, f"one of {', '.join(field.values)}")
        yield field.key(stage), json.dumps(value, ensure_ascii=False, sort_keys=True)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _field(entry: Mapping[str, Any]) -> StatedField:
    lists = {key: tuple(entry.get(key, ())) for key in ("stages", "values")}
    return StatedField(**{**entry, **lists})
