"""A probe, and the relation that it has to another probe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from assay.specs.interface import Axis, Interface

Feeds = Mapping[str, np.ndarray]
LevelName = Literal["quick", "default", "thorough"]
SEED = 20240131
REAL_SAMPLES = "real samples"


@dataclass(frozen=True)
class Selected:
    """The other probe has only these rows of the base, in this order; the base has ``size`` of them."""

    size: int
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Prolonged:
    """The other probe is longer by ``extra`` along its sequence; what the base has comes first."""

    extra: int


@dataclass(frozen=True)
class LastStep:
    """The base takes several steps; the other probe gives in one what the base gave last, at the end of its axes."""

    step: int


Alignment = Selected | Prolonged | LastStep | None


@dataclass(frozen=True)
class Relation:
    """What two probes tell together: wherever an output of the source stays the same, or moves, so must the model's.

    ``base`` is the name of the other probe, ``change`` what was done to it, as the middle of a sentence; ``align``
    says which places of the outputs belong together, None where they lie alike.
    """

    code: str
    base: str
    change: str
    align: Alignment = None


@dataclass(frozen=True)
class Probe:
    """One set of inputs, arrays by input name.

    ``natural`` where the values are of the usual magnitude, ``extreme`` where they are so far from it that an error is
    judged by what rounding may do to the source there; ``informative`` where no caller feeds such inputs, so that
    a difference is told but is no failure; ``seed`` of its random numbers; ``moved`` names the axes that are off the
    traced size; ``ladder`` holds the same probe ever milder, of which the first that the source takes is used, or the
    one ``margin`` rungs below it; ``later`` are the inputs of further steps, and ``feedback`` says which output feeds
    which input of the next step.
    """

    name: str
    purpose: str
    feeds: Feeds
    natural: bool = True
    extreme: bool = False
    informative: bool = False
    seed: int = SEED
    moved: frozenset[str] = frozenset()
    ladder: tuple[Feeds, ...] = ()
    margin: int = 0
    later: tuple[Feeds, ...] = ()
    feedback: Mapping[str, str] = field(default_factory=dict)
    relations: tuple[Relation, ...] = ()


def sizes_of(interface: Interface, feeds: Feeds) -> dict[str, int]:
    """The size that each dynamic axis has in these inputs."""
    return {
        dim.name: size
        for spec in interface.inputs
        if spec.name in feeds
        for dim, size in zip(spec.dims or (), feeds[spec.name].shape, strict=False)
        if isinstance(dim, Axis)
    }
