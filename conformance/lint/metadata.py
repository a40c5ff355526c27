"""MD: what a model says of itself."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from assay.conformance.lint.candidate import TASK_KEY, StaticCandidate, declared_shape
from assay.conformance.lint.registry import FilePart, Violation, rule
from assay.specs.data import PROFILE_VERSION
from assay.specs.fields import missing_keys
from assay.specs.tasks import task_names

PROFILE_KEY = "assay.profile"
SOURCE_KEY = "assay.source.sha256"
ROLES_KEY = "assay.roles"
_EXPORTER_KEYS = ("assay.exporter", "assay.source.framework")
_LABEL_KEYS = ("assay.postprocessing.labels", "names", "id2label", "labels")
_SHA256 = re.compile(r"[0-9a-f]{64}")
PRIVATE_FOLDER = re.compile(r"(?:/home/|/Users/|/root/|[A-Za-z]:\\+Users\\+)[^\s\"',;]+")


@rule("MD001")
def provenance_is_stated(candidate: StaticCandidate) -> Iterator[Violation]:
    """The metadata says which profile, task and source."""
    held = candidate.model.metadata_props
    missing = [key for key in (PROFILE_KEY, TASK_KEY, SOURCE_KEY) if not held.get(key)]
    if missing:
        yield Violation(FilePart(candidate.path.name), f"metadata lacks {', '.join(missing)}, but should have them")


@rule("MD002")
def metadata_is_true(candidate: StaticCandidate) -> Iterator[Violation]:
    """The profile and task are known, and the task is the one of interface.json."""
    held, file = candidate.model.metadata_props, candidate.path.name
    version, task = held.get(PROFILE_KEY), held.get(TASK_KEY)
    if version and version != PROFILE_VERSION:
        yield Violation(FilePart(file, PROFILE_KEY), f"{PROFILE_KEY} is {version}, but should be {PROFILE_VERSION}")
    if task and task not in task_names():
        yield Violation(
            FilePart(file, TASK_KEY), f"{TASK_KEY} is {task}, but should be one of {', '.join(task_names())}"
        )
    if candidate.interface is not None and candidate.interface.task != task:
        due = candidate.interface.task
        is_other = f"{TASK_KEY} is {task}, but should be {due} as in interface.json"
        sentence = is_other if task else f"metadata lacks {TASK_KEY}, but should have {due} as interface.json does"
        yield Violation(FilePart(file, TASK_KEY), sentence)


@rule("MD006")
def digest_is_one(candidate: StaticCandidate) -> Iterator[Violation]:
    """The digest of the source has the form of a SHA-256."""
    digest = candidate.model.metadata_props.get(SOURCE_KEY)
    if digest and not _SHA256.fullmatch(digest):
        part = FilePart(candidate.path.name, SOURCE_KEY)
        yield Violation(part, f"{SOURCE_KEY} is {digest[:80]!r}, but should be 64 hexadecimal digits")


@rule("MD007")
def roles_are_true(candidate: StaticCandidate) -> Iterator[Violation]:
    """The roles are those of the task and of interface.json, for inputs and outputs that exist."""
    text = candidate.model.metadata_props.get(ROLES_KEY)
    if not text:
        return
    part, roles = FilePart(candidate.path.name, ROLES_KEY), _json(text)
    if not isinstance(roles, dict):
        yield Violation(part, f"{ROLES_KEY} is {text[:80]!r}, but should be JSON that maps names to roles")
        return
    names = {value.name for value in (*candidate.inputs, *candidate.outputs)}
    due = _due_roles(candidate)
    for name, role in roles.items():
        if name not in names:
            yield Violation(part, f"gives {name!r} a role, which is no input or output, but should name what exists")
        elif role != due.get(name, role):
            yield Violation(part, f"gives {name!r} the role {role}, but should give {due[name]}")


def _due_roles(candidate: StaticCandidate) -> dict[str, str]:
    names = [value.name or "" for value in (*candidate.inputs, *candidate.outputs)]
    stated = candidate.interface
    specs = (*stated.inputs, *stated.outputs) if stated is not None else ()
    return candidate.task.roles(names) | {spec.name: spec.role for spec in specs if spec.role}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


@rule("MD008")
def exporter_is_stated(candidate: StaticCandidate) -> Iterator[Violation]:
    """A model that states its profile says what wrote it, from which framework."""
    held = candidate.model.metadata_props
    missing = [key for key in _EXPORTER_KEYS if not held.get(key)]
    if held.get(PROFILE_KEY) and missing:
        yield Violation(FilePart(candidate.path.name), f"metadata lacks {', '.join(missing)}, but should have them")


@rule("MD009")
def labels_fit_output(candidate: StaticCandidate) -> Iterator[Violation]:
    """There are as many labels as the scores have classes."""
    for key in _LABEL_KEYS:
        labels = _json(candidate.model.metadata_props.get(key, ""))
        if not isinstance(labels, (list, dict)):
            continue
        for name, size in _class_counts(candidate):
            if size != len(labels):
                part = FilePart(candidate.path.name, key)
                yield Violation(part, f"names {len(labels)} labels, but should name {size}, one a class of {name}")


def _class_counts(candidate: StaticCandidate) -> Iterator[tuple[str, int]]:
    """The outputs that have the task's axis of classes, and its size."""
    for value in candidate.outputs:
        tensor, shape = candidate.task.tensor(value.name or ""), declared_shape(value)
        axes = tensor.axes if tensor is not None else None
        if axes is None or shape is None or len(axes) != len(shape) or "classes" not in axes:
            continue
        size = shape[axes.index("classes")]
        if isinstance(size, int):
            yield value.name or "", size


@rule("MD010")
def no_private_path(candidate: StaticCandidate) -> Iterator[Violation]:
    """Nothing in the metadata tells a path of the machine that the model was made on."""
    found = next(((key, match[0]) for key, text in _texts(candidate) if (match := PRIVATE_FOLDER.search(text))), None)
    if found is not None:
        key, path = found
        part = FilePart(candidate.path.name, key)
        yield Violation(part, f"tells the path {path[:120]!r} of a private machine, but should tell no folder")


def _texts(candidate: StaticCandidate) -> Iterator[tuple[str, str]]:
    """Every text that tools add beside names: of the model, its graph, and its nodes."""
    model = candidate.model
    yield "doc_string", model.doc_string or ""
    yield "doc_string", model.graph.doc_string or ""
    yield from model.metadata_props.items()
    yield from model.graph.metadata_props.items()
    for node in candidate.all_nodes:
        yield "doc_string", node.doc_string or ""
        yield from node.metadata_props.items()


@rule("MD011")
def fields_are_stated(candidate: StaticCandidate) -> Iterator[Violation]:
    """The metadata says how inputs are made and what outputs mean, as the task asks."""
    missing = missing_keys(candidate.task, candidate.model.metadata_props)
    if missing:
        sentence = f"metadata lacks {', '.join(missing)}, but should have them in the task {candidate.task.name}"
        yield Violation(FilePart(candidate.path.name), sentence)


@rule("MD012")
def key_is_unique(candidate: StaticCandidate) -> Iterator[Violation]:
    """No key stands twice, of which readers take one or the other."""
    counts = Counter(entry.key for entry in candidate.proto.metadata_props)
    for key, count in counts.items():
        if count > 1:
            yield Violation(FilePart(candidate.path.name, key), f"stands {count} times, but should stand once")
