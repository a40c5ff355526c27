"""Tasks: what a model does fixes the names, roles, dtypes and axes of its inputs and outputs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from assay.specs.data import load_named, names

GENERIC = "generic"


@dataclass(frozen=True)
class TaskTensor:
    """One input or output of a task; ``axes`` is None where the task leaves even the rank open."""

    name: str
    role: str
    dtypes: tuple[str, ...]
    axes: tuple[str, ...] | None = None
    optional: bool = False

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> TaskTensor:
        """The tensor that one entry of a task's file states."""
        axes = data.get("axes")
        return cls(
            data["name"],
            data["role"],
            tuple(data["dtypes"]),
            None if axes is None else tuple(axes),
            data.get("optional", False),
        )


@dataclass(frozen=True)
class Task:
    """What a model does, and the inputs and outputs that every model of the task has."""

    name: str
    description: str
    inputs: tuple[TaskTensor, ...] = ()
    outputs: tuple[TaskTensor, ...] = ()

    def roles(self) -> dict[str, str]:
        """The role of each input and output by its name."""
        return {tensor.name: tensor.role for tensor in (*self.inputs, *self.outputs)}


def task_names() -> tuple[str, ...]:
    """The names of all tasks, sorted."""
    return names("tasks")


@cache
def load_task(name: str) -> Task:
    """The task of this name; raises `UnknownNameError`, which names the known ones."""
    data = load_named("task", "tasks", name)
    inputs, outputs = (tuple(map(TaskTensor.from_data, data[key])) for key in ("inputs", "outputs"))
    return Task(name, data["description"], inputs, outputs)
