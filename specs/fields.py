"""Fields: what a bundle states beside its graph, how inputs are made from the world and what outputs mean in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from assay.specs.data import PROFILE, load_yaml
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


def _field(entry: Mapping[str, Any]) -> StatedField:
    lists = {key: tuple(entry.get(key, ())) for key in ("stages", "values")}
    return StatedField(**{**entry, **lists})
