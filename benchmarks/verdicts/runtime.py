"""Runs a case in a process of its own: a mutant may kill the runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assay.conformance.isolation import Worker, WorkerDied, WorkerTimedOut

Outputs = tuple[tuple[str, np.ndarray], ...]


@dataclass(frozen=True)
class Job:
    """One run: at which optimization level, on which inputs; by the order of the inputs, or by their names."""

    level: str
    feeds: Mapping[str, np.ndarray]
    positional: bool = False


@dataclass(frozen=True)
class Ran:
    """What a run gave, in order, or the sentence with which it failed."""

    outputs: Outputs = ()
    error: str | None = None

    @property
    def named(self) -> dict[str, np.ndarray]:
        """The outputs by name."""
        return dict(self.outputs)


def run_all(worker: Worker, path: str, jobs: Sequence[Job]) -> list[Ran]:
    """Every job on one model file; what kills or outlives the worker is the error of all jobs."""
    try:
        return worker.call(_run_jobs, path, list(jobs))
    except (WorkerDied, WorkerTimedOut) as event:
        return [Ran(error=str(event))] * len(jobs)


def _run_jobs(path: str, jobs: list[Job]) -> list[Ran]:
    from verdicts.subject import session

    opened: dict[str, object] = {}
    for level in {job.level for job in jobs}:
        try:
            opened[level] = session(path, level)
        except Exception as error:  # noqa: BLE001 - what the runtime raises has no common class, and is a result here
            opened[level] = str(error)
    return [_run(opened[job.level], job) for job in jobs]


def _run(opened: object, job: Job) -> Ran:
    if isinstance(opened, str):
        return Ran(error=f"not loaded: {opened}")
    own = [value.name for value in opened.get_inputs()]  # type: ignore[attr-defined]
    named = {name: array for name, array in job.feeds.items() if name in own}  # as a caller asks the session first
    feeds = dict(zip(own, job.feeds.values(), strict=False)) if job.positional else named
    names = [value.name for value in opened.get_outputs()]  # type: ignore[attr-defined]
    try:
        values = opened.run(names, feeds)  # type: ignore[attr-defined]
    except Exception as error:  # noqa: BLE001 - see above
        return Ran(error=f"not run: {error}")
    return Ran(tuple(zip(names, values, strict=True)))
