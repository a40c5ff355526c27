"""Models side by side: parity, graph, size, conversion and latency, each against one reference."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.conformance.comparison.comparison import Comparison
from assay.conformance.comparison.conversion import Order
from assay.conformance.comparison.run import Plan, Tell, run
from assay.conformance.comparison.subjects import Subject, is_same, subjects_of
from assay.conformance.latency.check import Timing
from assay.conformance.providers.catalogue import require_known
from assay.converters.exporter import require_exporter
from assay.converters.sources.base import Inputs, SourceError
from assay.specs.errors import AssayError

Models = Sequence[Any] | Mapping[str, Any]

__all__ = ["CompareError", "Comparison", "compare"]


class CompareError(AssayError):
    """Nothing that could be compared."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


def compare(
    models: Models,
    reference: Any = None,
    *,
    exporters: Sequence[str] = (),
    inputs: Inputs | None = None,
    task: str = "generic",
    opset: int | None = None,
    provider: str = "cpu",
    pairs: bool | None = None,
    latency: bool = True,
    samples: int = 200,
    threads: int = 1,
    trust_source: bool = False,
    time_limit: float = 600.0,
    tell: Tell | None = None,
) -> Comparison:
    """Compare sources and models side by side, each against ``reference``: the first source, else the first model.

    ``models`` are sources in any form (path, import string, live object) and ``.onnx`` files or bundles, or a mapping
    from names to them; a source is converted, by each of ``exporters`` (``"all"``: each that takes it) or by its own.
    Each conversion runs in a process of its own, where time (s) and peak of memory (bytes) are measured; a live object
    is converted here, without the memory. ``pairs`` judges every two models too (None: where there are at most four);
    ``samples`` and ``threads`` (of one operator) are for the timing of each model, unless ``latency`` is left out;
    ``time_limit`` is what one conversion or run may take, in seconds.

    A model that can't be had or judged is a row with its reason. Raises `AssayError` where the reference can't be
    opened or there is nothing to compare.
    """
    require_known((provider,))
    for name in exporters:
        if name != "all":
            require_exporter(name)
    subjects, judge = _subjects(models, reference)
    _require_two(subjects, judge)
    plan = Plan(
        subjects=tuple(subjects),
        reference=judge,
        order=Order(None, None, task, inputs, opset, trust_source, time_limit),
        exporters=tuple(exporters),
        provider=provider,
        pairs=pairs,
        timing=Timing(samples, threads) if latency else None,
        tell=tell or (lambda _step: None),
    )
    with tempfile.TemporaryDirectory(prefix="assay-", ignore_cleanup_errors=True) as folder:
        return run(plan, Path(folder))


def _subjects(models: Models, reference: Any) -> tuple[list[Subject], Subject]:
    """What is compared, and the one of it or beside it that judges."""
    given = list(models.values() if isinstance(models, Mapping) else models)
    if reference is None:
        subjects = subjects_of(models)
        return subjects, _opened(_first(subjects))
    place = next((index for index, value in enumerate(given) if is_same(value, reference)), len(given))
    more: Models = models
    if place == len(given):
        more = {**models, "reference": reference} if isinstance(models, Mapping) else [*models, reference]
    subjects = subjects_of(more)
    return subjects[: len(given)], _opened(subjects[place])


def _first(subjects: Sequence[Subject]) -> Subject:
    """The first source, else the first model."""
    sources = [subject for subject in subjects if not (subject.is_model or subject.fault)]
    if not subjects:
        raise CompareError("there is nothing to compare")
    return [*sources, *subjects][0]


def _opened(reference: Subject) -> Subject:
    if reference.fault is not None:
        raise SourceError(reference.text, reference.fault)
    return reference


def _require_two(subjects: Sequence[Subject], reference: Subject) -> None:
    """A model alone is judged by nothing; a source alone judges what is converted from it."""
    if all(subject == reference and subject.is_model for subject in subjects):
        raise CompareError(f"{reference.text} is all there is, but should stand beside another model or a reference")
