"""Tasks: what a model does fixes the names, roles, dtypes and axes of its inputs and outputs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from assay.specs.data import load_named, names

GENERIC = "generic"
LAYER = "{layer}"

Range = tuple[float | None, float | None]


@dataclass(frozen=True)
class TaskAxis:
    """An axis that a task names.

    ``dynamic`` is True where callers vary its size, False where the model fixes it, None where either is right;
    ``sum`` names the axes whose sizes add up to its own.
    """

    name: str
    meaning: str
    dynamic: bool | None = None
    minimum: int = 1
    maximum: int | None = None
    sum: tuple[str, ...] = ()


@dataclass(frozen=True)
class TaskTensor:
    """One input or output of a task.

    ``name`` may hold ``{layer}``, which stands for a number, one tensor a layer. ``axes`` is None where the task leaves
    even the rank open. Of the tensors with one ``choice`` at least one is there. An output that ``feeds`` an input is
    fed to it at the next step.
    """

    name: str
    role: str
    dtypes: tuple[str, ...]
    axes: tuple[str, ...] | None = None
    optional: bool = False
    choice: str | None = None
    range: Range | None = None
    layouts: tuple[str, ...] = ()
    feeds: str | None = None
    meaning: str = ""

    @property
    def repeated(self) -> bool:
        """Whether there is one such tensor a layer."""
        return LAYER in self.name

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(re.escape(self.name).replace(re.escape(LAYER), r"(0|[1-9]\d{0,5})"))

    def layer(self, name: str) -> int | None:
        """The layer that this name is of, 0 for a tensor that is not repeated; None where the name is another's."""
        match = self._pattern.fullmatch(name)
        return None if match is None else int(match.group(1)) if self.repeated else 0

    def at(self, layer: int) -> str:
        """The name at one layer."""
        return self.name.replace(LAYER, str(layer))

    def axes_in(self, layout: str) -> tuple[str, ...] | None:
        """The axes in the order of one of the layouts; ``axes`` itself is in the order of the first."""
        if self.axes is None or layout not in self.layouts:
            return self.axes
        return tuple(self.axes[self.layouts[0].index(letter)] for letter in layout)

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> TaskTensor:
        """The tensor that one entry of a task's file states."""
        lists = {key: tuple(data[key]) for key in ("dtypes", "axes", "layouts", "range") if data.get(key) is not None}
        return cls(**{**data, **lists})


@dataclass(frozen=True)
class Fields:
    """The names of the fields (see `assay.specs.fields`) that a bundle of the task must and may state."""

    must: tuple[str, ...] = ()
    may: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """What a model does, and the inputs and outputs that every model of the task has."""

    name: str
    description: str
    inputs: tuple[TaskTensor, ...] = ()
    outputs: tuple[TaskTensor, ...] = ()
    axes: Mapping[str, TaskAxis] = field(default_factory=dict)
    preprocessing: Fields = Fields()
    postprocessing: Fields = Fields()
    references: tuple[str, ...] = ()

    @property
    def tensors(self) -> tuple[TaskTensor, ...]:
        """Inputs, then outputs."""
        return (*self.inputs, *self.outputs)

    def roles(self, names: Iterable[str] | None = None) -> dict[str, str]:
        """The role of each of these names that the task knows; without names, of all but the repeated ones."""
        if names is None:
            return {tensor.name: tensor.role for tensor in self.tensors if not tensor.repeated}
        found = ((name, self.tensor(name)) for name in names)
        return {name: tensor.role for name, tensor in found if tensor is not None}

    def tensor(self, name: str) -> TaskTensor | None:
        """The input or output that this name is of, ``past_key_values.3.key`` too; None where there is none."""
        return next((tensor for tensor in self.tensors if tensor.layer(name) is not None), None)


def task_names() -> tuple[str, ...]:
    """The names of all tasks, sorted."""
    return names("tasks")


@cache
def load_task(name: str) -> Task:
    """The task of this name; raises `UnknownNameError`, which names the known ones."""
    data = load_named("task", "tasks", name)
    return Task(
        name=name,
        description=data["description"],
        inputs=tuple(map(TaskTensor.from_data, data["inputs"])),
        outputs=tuple(map(TaskTensor.from_data, data["outputs"])),
        axes={axis.name: axis for axis in _axes(data["axes"])},
        preprocessing=_fields(data["preprocessing"]),
        postprocessing=_fields(data["postprocessing"]),
        references=tuple(data["references"]),
    )


def _axes(data: Mapping[str, Any]) -> Iterator[TaskAxis]:
    for name, entry in data.items():
        yield TaskAxis(name, **{**entry, "sum": tuple(entry.get("sum", ()))})


def _fields(data: Mapping[str, Any]) -> Fields:
    return Fields(tuple(data["must"]), tuple(data["may"]))
