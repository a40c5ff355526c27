"""MD: what a model says of itself."""

from __future__ import annotations

from collections.abc import Iterator

from assay.conformance.lint.candidate import TASK_KEY, StaticCandidate
from assay.conformance.lint.registry import FilePart, Violation, rule
from assay.specs.data import PROFILE_VERSION
from assay.specs.tasks import task_names

PROFILE_KEY = "assay.profile"
SOURCE_KEY = "assay.source.sha256"


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
    if task and candidate.interface is not None and candidate.interface.task != task:
        got = f"{TASK_KEY} is {task}"
        yield Violation(
            FilePart(file, TASK_KEY), f"{got}, but should be {candidate.interface.task} as in interface.json"
        )
