"""A candidate on one provider, in a worker of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.conformance.candidate import Candidate
from assay.conformance.exchange import Mapped, read_arrays, write_arrays
from assay.conformance.isolation import Worker
from assay.conformance.providers.runtime import SessionFacts, SessionKey, describe_session, run_session


@dataclass(frozen=True)
class Trial:
    """Runs a candidate under our names of inputs and outputs; raises as `Worker.call`, and `RuntimeRefused`."""

    candidate: Candidate
    provider: str
    worker: Worker
    threads: int = 0
    optimization: str = "all"

    @property
    def key(self) -> SessionKey:
        """The session that the worker keeps for it."""
        return SessionKey(self.candidate.path.resolve(), self.provider, self.threads, self.optimization)

    def facts(self) -> SessionFacts:
        """What the runtime says of the model, under our names."""
        facts = self.worker.call(describe_session, self.key)
        back = {own: ours for ours, own in (*self.candidate.inputs.items(), *self.candidate.outputs.items())}
        inputs = tuple((back.get(n, n), d, s) for n, d, s in facts.inputs if n not in self.candidate.constants)
        outputs = tuple((back.get(n, n), d, s) for n, d, s in facts.outputs)
        return SessionFacts(inputs, outputs, facts.providers, facts.placement)

    def run(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """One run; the outputs stay mapped when their files are removed."""
        with tempfile.TemporaryDirectory(prefix="assay-", ignore_cleanup_errors=True) as folder:
            fed = self.feed(feeds, Path(folder) / "in")
            outputs = read_arrays(self.worker.call(run_session, self.key, fed, Path(folder) / "out"))
        back = {own: ours for ours, own in self.candidate.outputs.items()}
        return {back.get(name, name): value for name, value in outputs.items()}

    def feed(self, feeds: Mapping[str, np.ndarray], folder: Path) -> dict[str, Mapped]:
        """Write the feeds under the candidate's own names, with its constants."""
        own = {self.candidate.inputs.get(name, name): array for name, array in feeds.items()}
        own |= {name: np.asarray(value) for name, value in self.candidate.constants.items()}
        return write_arrays(own, folder)
