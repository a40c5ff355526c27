"""The search for a counter-example: the input within the declared ranges on which error over floor is largest.

Systematic walks through sizes and integer values take turns with differential evolution (R. Storn and K. Price, 1997,
as SciPy has it), which starts from the probes. The n-th input is the same for the same seed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from assay.conformance.parity.probes import SEED, Probe
from assay.conformance.parity.search_space import Space
from assay.conformance.result import Finding
from assay.specs.interface import Interface

_POPULATION = 24
_NOTHING = 1e-9


# the model judged on a probe: probe and reference together, the row of measurements, and what was found
Try = Callable[[Probe], tuple[Any, dict[str, Any], list[Finding]]]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Effort:
    """How long to search, in seconds and in inputs, whichever ends first."""

    seconds: float
    inputs: int | None = None
    seed: int = SEED


@dataclass(frozen=True)
class Attempt:
    """One input that was tried: the how-manieth, how far the model is off there, and what was found."""

    number: int
    ratio: float
    judged: Any
    row: Mapping[str, Any]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Search:
    """What a search found: the worst input, of how many that it tried and the source took."""

    effort: Effort
    tried: int
    refused: int
    seconds: float
    worst: Attempt | None

    @property
    def name(self) -> str:
        """The name of the worst input as a probe."""
        return f"search #{self.worst.number if self.worst else 0} of {self.tried}"

    @property
    def probe(self) -> Probe | None:
        """The worst input as a probe with a name."""
        return replace(self.worst.judged.probe, name=self.name, natural=False) if self.worst else None

    def findings(self) -> list[Finding]:
        """PA028 for each error on the worst input."""
        errors = [finding for finding in self.worst.findings if finding.severity == "error"] if self.worst else []
        return [self._counterexample(finding) for finding in errors]

    def to_json(self) -> dict[str, Any]:
        """The measurements of the search."""
        worst = self.worst
        return {
            "seconds": round(self.seconds, 3),
            "tried": self.tried,
            "refused": self.refused,
            "seed": self.effort.seed,
            "worst_ratio": worst.ratio if worst and math.isfinite(worst.ratio) else None,
            "worst_probe": self.name if worst else None,
            "worst_input": worst.judged.probe.purpose if worst else None,
        }

    def _counterexample(self, finding: Finding) -> Finding:
        return finding.model_copy(
            update={
                "code": "PA028",
                "message": f"{self.name}: {finding.message}",
                "location": {**finding.location, "probe": self.name},
                "evidence": {**finding.evidence, "found": finding.code, "seed": self.effort.seed},
            }
        )


def search(
    interface: Interface, origins: Sequence[Probe], attempt: Try, effort: Effort, tell: Tell | None = None
) -> Search:
    """Search until time or inputs are used up, or an error is found; ``attempt`` judges the model on one probe.

    ``origins`` are probes that the source takes, the worst first.
    """
    hunt = _Hunt(attempt, effort, tell)
    if origins:
        space = Space(interface, origins, effort.seed)
        with suppress(_Over):
            _evolve(hunt, space)
    return Search(effort, hunt.tried, hunt.refused, time.monotonic() - hunt.begin, hunt.worst)


class _Over(Exception):
    """The search is at its end."""


@dataclass
class _Hunt:
    """Tries one input after the other, and keeps the worst."""

    attempt: Try
    effort: Effort
    tell: Tell | None
    tried: int = 0
    refused: int = 0
    worst: Attempt | None = None
    begin: float = field(default_factory=time.monotonic)

    def __call__(self, probe: Probe) -> float | None:
        """How far the model is off there; None where the source does not take it. Raises `_Over` at the end."""
        spent = time.monotonic() - self.begin
        if spent > self.effort.seconds or self.tried == self.effort.inputs:
            raise _Over
        self.tried += 1
        judged, row, findings = self.attempt(replace(probe, name=f"search #{self.tried}"))
        if row["status"] == "refused by the source":
            self.refused += 1
            return None
        self._keep(Attempt(self.tried, _ratio(row, findings), judged, row, tuple(findings)))
        if any(finding.severity == "error" for finding in findings):
            raise _Over
        return _ratio(row, findings)

    def _keep(self, attempt: Attempt) -> None:
        if self.worst is None or attempt.ratio > self.worst.ratio:
            self.worst = attempt
            if self.tell:
                self.tell(f"search: {attempt.ratio:.3g} times the floor at input {attempt.number}")


def _ratio(row: Mapping[str, Any], findings: Sequence[Finding]) -> float:
    """The largest ratio of an output; infinite where a rule without a ratio is broken."""
    if any(finding.severity == "error" and "ratio" not in finding.evidence for finding in findings):
        return math.inf
    return max((float(output["ratio"]) for output in row["outputs"]), default=0.0)


def _evolve(hunt: _Hunt, space: Space) -> None:
    """Differential evolution, which never converges here: it ends when the hunt does."""
    from scipy.optimize import Bounds, differential_evolution

    walks = _Walks(hunt, list(space.coverage()))

    def fitness(genes: np.ndarray) -> float:
        ratio = hunt(space.probe(genes))
        walks.step()
        return -math.log(_NOTHING if ratio is None else max(ratio, _NOTHING))

    differential_evolution(
        fitness,
        Bounds(np.zeros(space.dimensions), np.ones(space.dimensions)),
        init=space.start(_POPULATION),
        maxiter=1_000_000_000,
        rng=space.seed,
        polish=False,
        tol=0,
        atol=-1,
    )


@dataclass
class _Walks:
    """Systematic walks, one step at a time, each in its turn, until all are at their end."""

    hunt: _Hunt
    walks: list[Generator[Probe, bool, None]]
    taken: dict[int, bool] = field(default_factory=dict)

    def step(self) -> None:
        if not self.walks:
            return
        walk = self.walks.pop(0)
        try:
            probe = walk.send(self.taken[id(walk)]) if id(walk) in self.taken else next(walk)
        except StopIteration:
            return
        self.taken[id(walk)] = self.hunt(probe) is not None
        self.walks.append(walk)
