"""The page of documentation that shows levels, targets, domains and tasks, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from assay.specs.domains import load_domains
from assay.specs.fields import load_fields
from assay.specs.levels import load_levels
from assay.specs.operators import load_operator_classes
from assay.specs.roles import load_roles
from assay.specs.rule_pages import cell
from assay.specs.targets import Target, load_target, target_names
from assay.specs.tasks import Task, TaskTensor, load_task, task_names

_HEAD = """# The interface profile at a glance

The data of the profile, as tables. The normative text is [PROFILE.md](../specs/profile/v1/PROFILE.md), the rules are
[here](rules/README.md). `python -m assay.specs.pages` writes this page."""


def profile_page() -> str:
    """The whole page."""
    parts = [_HEAD, _levels(), _targets(), _domains(), _overview(), *map(_task, _tasks()), _roles(), _fields()]
    return "\n\n".join(parts) + "\n"


def _tasks() -> list[Task]:
    return [load_task(name) for name in task_names()]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([cell(text) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _levels() -> str:
    rows = [
        (f"`{one.name}`", one.meaning, ", ".join(one.includes), " ".join(one.evidence))
        for one in load_levels().values()
    ]
    return "## Levels\n\n" + _table(["level", "meaning", "levels of rules", "what is shown"], rows)


def _targets() -> str:
    targets = [load_target(name) for name in target_names()]
    rows = [(f"`{one.name}`", one.description, *_limits(one)) for one in targets]
    head = ["target", "where", "opset", "IR", "domains", "model", "weights", "nodes", "forbidden", "dynamic axes"]
    return "\n\n".join(["## Targets", _table(head, rows), *map(_reasons, targets), _classes()])


def _limits(target: Target) -> tuple[str, ...]:
    oldest, newest = target.oldest_opset["ai.onnx"], target.opset["ai.onnx"]
    return (
        f"{oldest} to {newest}",
        f"≤ {target.ir_version}",
        ", ".join(sorted(target.domains)),
        _bytes(target.model_bytes),
        _bytes(target.initializer_bytes),
        "any" if target.nodes is None else f"≤ {target.nodes:,}",
        ", ".join(sorted(set(target.forbidden.values()))) or "none",
        "any" if target.dynamic_axes is None else ", ".join(sorted(target.dynamic_axes)) or "none",
    )


def _bytes(size: int | None) -> str:
    return "any" if size is None else f"≤ {size:,} bytes"


def _reasons(target: Target) -> str:
    rows = [
        (
            limit.replace("_", " "),
            reason.why,
            " ".join(f"[{index}]({link})" for index, link in enumerate(reason.references, 1)),
        )
        for limit, reason in target.reasons.items()
    ]
    return f"### Why {target.name} has its limits\n\n" + _table(["limit", "why", "references"], rows)


def _classes() -> str:
    rows = [(f"`{one.name}`", one.meaning, ", ".join(one.operators)) for one in load_operator_classes().values()]
    return "### Classes of operators\n\n" + _table(["class", "meaning", "operators"], rows)


def _domains() -> str:
    rows = [
        (one.title, one.description, ", ".join(map(_link, one.tasks)), one.example, " ".join(one.risks))
        for one in load_domains().values()
    ]
    return "## Domains\n\n" + _table(["field of use", "what for", "tasks", "example", "what to watch"], rows)


def _overview() -> str:
    rows = [(_link(one.name), one.description, _names(one.inputs), _names(one.outputs)) for one in _tasks()]
    return "## Tasks\n\nNames in brackets are optional.\n\n" + _table(["task", "what", "inputs", "outputs"], rows)


def _link(task: str) -> str:
    return f"[{task}](#{task})"


def _names(tensors: Sequence[TaskTensor]) -> str:
    return ", ".join(f"[`{one.name}`]" if one.optional else f"`{one.name}`" for one in tensors) or "any"


def _task(task: Task) -> str:
    parts = [f"### {task.name}", task.description]
    if task.tensors:
        head = ["name", "", "role", "dtypes", "axes", "meaning"]
        rows = [_tensor(side, one) for side, all_ in (("in", task.inputs), ("out", task.outputs)) for one in all_]
        axes = [(f"`{one.name}`", _size(one.dynamic), one.meaning) for one in task.axes.values()]
        parts += [_table(head, rows), _table(["axis", "size", "meaning"], axes), *_stated(task)]
    return "\n\n".join(parts)


def _tensor(side: str, one: TaskTensor) -> tuple[str, ...]:
    shape = "open" if one.axes is None else f"[{', '.join(one.axes)}]"
    role = load_roles()[one.role]
    need = "may" if one.optional else "must"
    choice = f"{side}, one of {one.choice}" if one.choice else f"{side}, {need}"
    return f"`{one.name}`", choice, f"`{one.role}`", ", ".join(one.dtypes), shape, one.meaning or role.meaning


def _size(dynamic: bool | None) -> str:
    return {True: "dynamic", False: "fixed", None: "either"}[dynamic]


def _stated(task: Task) -> list[str]:
    stages = (("preprocessing", task.preprocessing), ("postprocessing", task.postprocessing))
    lines = [
        f"- {stage}, {word} state: {', '.join(f'`{name}`' for name in names)}"
        for stage, fields in stages
        for word, names in (("must", fields.must), ("may", fields.may))
        if names
    ]
    return ["\n".join(lines)] if lines else []


def _roles() -> str:
    rows = [
        (f"`{one.name}`", one.side, one.values, one.meaning, ", ".join(one.probes), ", ".join(one.never))
        for one in load_roles().values()
    ]
    return "## Roles\n\n" + _table(["role", "side", "values", "meaning", "probes", "never"], rows)


def _fields() -> str:
    rows = [
        (f"`{one.name}`", ", ".join(one.stages), one.type, ", ".join(one.values) or "any", one.meaning)
        for one in load_fields().values()
    ]
    return "## Fields\n\n" + _table(["field", "stage", "type", "values", "meaning"], rows)
