"""A candidate on one provider, in a worker of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.conformance.candidate import Candidate
from assay.conformance.exchange import Mapped, read_arrays, write_arrays
from assay.conformance.isolation import Worker
from assay.conformance.providers.runtime import (
    Loading,
    SessionFacts,
    SessionKey,
    describe_session,
    run_session,
    run_side_by_side,
)


@dataclass(frozen=True)
class Trial:
    """Runs a candidate under our names of inputs and outputs; raises as `Worker.call`, and `RuntimeRefused`.

    Inputs named in ``without`` are not fed.
    """

    candidate: Candidate
    provider: str
    worker: Worker
    threads: int = 0
    optimization: str = "all"
    loading: Loading = "path"
    without: frozenset[str] = frozenset()

    @property
    def key(self) -> SessionKey:
        """The session that the worker keeps for it."""
        return SessionKey(self.candidate.path.resolve(), self.provider, self.threads, self.optimization, self.loading)

    def facts(self) -> SessionFacts:
        """What the runtime says of the model, under our names."""
        facts = self.worker.call(describe_session, self.key)
        back = {own: ours for ours, own in (*self.candidate.inputs.items(), *self.candidate.outputs.items())}
        inputs = tuple((back.get(n, n), d, s) for n, d, s in facts.inputs if n not in self.candidate.constants)
        outputs = tuple((back.get(n, n), d, s) for n, d, s in facts.outputs)
        return SessionFacts(inputs, outputs, facts.providers, facts.placement)

    def run(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """One run; the outputs stay mapped when their files are removed."""
        with self._fed(feeds) as (fed, outputs):
            return self._ours(self.worker.call(run_session, self.key, fed, outputs))

    def run_beside(self, other: Trial, feeds: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], ...]:
        """What this session and another of the same model give when both run at the same time."""
        with self._fed(feeds) as (fed, outputs):
            keys = (self.key, other.key)
            return tuple(map(self._ours, self.worker.call(run_side_by_side, keys, fed, outputs)))

    def feed(self, feeds: Mapping[str, np.ndarray], folder: Path) -> dict[str, Mapped]:
        """Write the feeds under the candidate's own names, with its constants."""
        own = {
            self.candidate.inputs.get(name, name): array for name, array in feeds.items() if name not in self.without
        }
        own |= {name: np.asarray(value) for name, value in self.candidate.constants.items()}
        return write_arrays(own, folder)

    @contextmanager
    def _fed(self, feeds: Mapping[str, np.ndarray]) -> Iterator[tuple[dict[str, Mapped], Path]]:
        with tempfile.TemporaryDirectory(dir=self.worker.folder, ignore_cleanup_errors=True) as folder:
            yield self.feed(feeds, Path(folder) / "in"), Path(folder) / "out"

    def _ours(self, outputs: Mapping[str, Mapped]) -> dict[str, np.ndarray]:
        back = {own: ours for ours, own in self.candidate.outputs.items()}
        return {back.get(name, name): value for name, value in read_arrays(outputs).items()}
