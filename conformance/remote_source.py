"""A source that works in a process of its own: one that crashes or hangs refuses a probe, and the run goes on.

What is given by path or import string is opened there; a live object stays in the process that made it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import uuid4

import numpy as np

from assay.conformance.exchange import Mapped, read_arrays, write_arrays
from assay.conformance.isolation import Worker, WorkerDied, WorkerTimedOut
from assay.conformance.source_process import (
    Opening,
    Order,
    Ran,
    SourceRaised,
    Twin,
    ask_source,
    convert_opened,
    describe_reference,
    describe_source,
    has_twin,
    run_source,
    source_settings,
)
from assay.converters.exporter import ConvertError
from assay.converters.sources import Source, SourceError, open_source
from assay.converters.sources.base import Feeds, Inputs, Outputs, Request, Runnable, as_spec
from assay.specs.interface import TensorSpec

P = ParamSpec("P")
T = TypeVar("T")
_MOST_DEATHS = 3
_OPENING_SECONDS = 600.0  # to import a framework and read weights takes longer than a run


@contextmanager
def opened_reference(
    reference: Any,
    inputs: Inputs | None = None,
    outputs: Sequence[str] | None = None,
    *,
    trust: bool = False,
    folders: Sequence[Path] = (),
    hints: Sequence[TensorSpec] = (),
    output_hints: Sequence[str] = (),
    time_limit: float = 600.0,
) -> Iterator[Source]:
    """The source, in a process of its own where it is given by name; raises as `open_source`.

    ``time_limit`` is what one run of it may take, in seconds.
    """
    text = _text(reference)
    if text is None:
        known: dict[str, Any] = {"folders": folders, "hints": hints, "output_hints": output_hints}
        yield open_source(reference, inputs, outputs, trust=trust, **known)
        return
    specs = {name: as_spec(name, value) for name, value in inputs.items()} if inputs is not None else None
    named = None if outputs is None else tuple(outputs)
    opening = Opening(uuid4().hex, text, specs, trust, tuple(folders), tuple(hints), tuple(output_hints), named)
    with Worker(_OPENING_SECONDS) as worker:
        yield RemoteSource(opening, worker, time_limit)


def in_this_process(source: Source) -> Source:
    """The source for those who need more than its outputs: to convert it, or to look at its operations.

    Raises `AssayError` where it can't be opened here; what crashes then ends the run.
    """
    return source.local if isinstance(source, RemoteSource) else source


class RemoteSource(Source):
    """The source's stand-in here; every call goes to its worker."""

    def __init__(self, opening: Opening, worker: Worker, time_limit: float) -> None:
        self._opening, self._worker, self._time_limit = opening, worker, time_limit
        self._deaths, self._hung = 0, False
        self._fed: _Fed | None = None
        try:
            facts = worker.call(describe_source, opening)
        except (WorkerDied, WorkerTimedOut) as event:
            raise SourceError(opening.reference, f"can't be opened: {event}") from None
        super().__init__(Request(facts.name, output_hints=opening.output_hints), facts.inputs)
        self.framework, self.kind = facts.framework, facts.kind

    @cached_property
    def local(self) -> Source:
        """The same source opened in this process; raises `AssayError`."""
        return self._opening.open()

    def run(self, feeds: Feeds) -> Outputs:
        return self.run_twin(Twin(), feeds)[0]

    def run_twin(self, twin: Twin, feeds: Feeds) -> tuple[Outputs, Ran]:
        """One forward pass of the source or a twin of it."""
        if self._hung:
            raise SourceError(self.name, "is run no more, for it hung on another probe")
        if self._deaths >= _MOST_DEATHS:
            raise SourceError(self.name, f"is run no more, for it ended its process {self._deaths} times")
        if not self._worker.running or twin.method is not None:
            self._called(has_twin, self._opening, twin)
        with tempfile.TemporaryDirectory(dir=self._worker.folder, ignore_cleanup_errors=True) as folder:
            written = self._written(feeds)
            with self._limited():
                ran = self._called(run_source, self._opening, twin, written, Path(folder))
            self.named_outputs = ran.named
            return read_arrays(ran.outputs), ran

    def exact(self) -> RemoteTwin | None:
        return self._twin(Twin("exact"))

    def perturbed(self, seed: int) -> Runnable | None:
        return self._twin(Twin("perturbed", seed))

    def shaken(self, seed: int) -> Runnable | None:
        return self._twin(Twin("shaken", seed))

    def wavering(self, seed: int) -> Runnable | None:
        """As the source's own; None where it has none such."""
        return self._twin(Twin("wavering", seed))

    def ask(self, function: Callable[Concatenate[Source, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        answer: T = self._called(ask_source, self._opening, function, args, kwargs)
        return answer

    def convert(self, order: Order, seconds: float) -> None:
        """Convert in the source's process, within so many seconds; raises `AssayError`."""
        try:
            with self._limited(seconds):
                self._worker.call(convert_opened, self._opening, order)
        except (WorkerDied, WorkerTimedOut) as event:
            raise ConvertError(self.name, str(event)) from None

    def sha256(self) -> str:
        return str(self.describe()["sha256"])

    def describe(self) -> dict[str, Any]:
        return self._described

    def settings(self) -> Mapping[str, Mapping[str, float | str]]:
        return self._worker.call(source_settings, self._opening)

    @cached_property
    def _described(self) -> dict[str, Any]:
        try:
            return self._worker.call(describe_reference, self._opening)
        except (WorkerDied, WorkerTimedOut) as event:
            raise SourceError(self.name, f"can't be described: {event}") from None

    def _twin(self, twin: Twin) -> RemoteTwin | None:
        try:
            return RemoteTwin(self, twin) if self._called(has_twin, self._opening, twin) else None
        except (WorkerDied, WorkerTimedOut, SourceError):
            return None

    @contextmanager
    def _limited(self, seconds: float | None = None) -> Iterator[None]:
        self._worker.time_limit = self._time_limit if seconds is None else seconds
        try:
            yield
        finally:
            self._worker.time_limit = _OPENING_SECONDS

    def _called(self, function: Any, *arguments: Any) -> Any:
        try:
            return self._worker.call(function, *arguments)
        except SourceRaised as raised:
            # under the name of what the model's code raised, as if it had been raised here
            raise type(raised.kind, (SourceRaised,), {})(raised.kind, raised.sentence) from None
        except WorkerDied as event:
            self._deaths += 1
            raise SourceError(self.name, f"ended its process: {event}") from None
        except WorkerTimedOut as event:
            self._hung = True
            raise SourceError(self.name, f"hangs: {event}") from None

    def _written(self, feeds: Feeds) -> Mapping[str, Mapped]:
        """The feeds in files, which the source and its twins are given one after the other."""
        if self._fed is None or self._fed.feeds is not feeds:
            folder = self._worker.folder / "feeds"  # one at a time; it goes with the worker
            shutil.rmtree(folder, ignore_errors=True)
            self._fed = _Fed(feeds, write_arrays(feeds, folder))
        return self._fed.arrays


@dataclass(frozen=True)
class _Fed:
    feeds: Feeds
    arrays: Mapping[str, Mapped]


@dataclass
class RemoteTwin:
    """A twin in the source's process; ``kept`` are the operations that it leaves in the source's own precision."""

    source: RemoteSource
    twin: Twin
    kept: Sequence[str] = field(default=())

    def run(self, feeds: Feeds) -> dict[str, np.ndarray]:
        """One forward pass."""
        outputs, ran = self.source.run_twin(self.twin, feeds)
        self.kept = ran.kept or ()
        return outputs


def _text(reference: Any) -> str | None:
    """The name by which a source is given: a path, an import string or a bundle's folder."""
    if isinstance(reference, str | os.PathLike):
        return os.fspath(reference)
    if hasattr(reference, "path") and hasattr(reference, "model") and not isinstance(reference, Source):
        return str(reference.path)
    return None
