"""Probes: sets of inputs, each with a name and a purpose, made from the interface and from real samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import replace

from assay.conformance.data import take
from assay.conformance.parity.probes.contents import content_probes
from assay.conformance.parity.probes.graph_constants import graph_constants
from assay.conformance.parity.probes.masks import mask_probes
from assay.conformance.parity.probes.pairs import paired_probes
from assay.conformance.parity.probes.probe import (
    REAL_SAMPLES,
    SEED,
    Alignment,
    Feeds,
    LastStep,
    LevelName,
    Probe,
    Prolonged,
    Relation,
    Selected,
    sizes_of,
)
from assay.conformance.parity.probes.sizes import size_probes
from assay.conformance.parity.probes.steps import step_probes
from assay.conformance.parity.probes.typical import Typical
from assay.conformance.parity.probes.vocabulary import vocabulary_probes
from assay.specs.conditions import satisfied
from assay.specs.interface import Interface

__all__ = [
    "MOST_QUICK",
    "REAL_SAMPLES",
    "SEED",
    "Alignment",
    "Feeds",
    "LastStep",
    "LevelName",
    "Probe",
    "Prolonged",
    "Relation",
    "Selected",
    "among",
    "graph_constants",
    "make_probes",
    "sizes_of",
]

_REAL_SAMPLES = 8
_QUICK = (
    *("typical", "all axes moved", "steps", "padded", REAL_SAMPLES, "every index", "spread indices"),
    *("constant rows", "very large", "highest", "ramp"),
)
MOST_QUICK = 8


def make_probes(
    interface: Interface, samples: Feeds | None = None, *, level: LevelName = "default", constants: Sequence[int] = ()
) -> tuple[Probe, ...]:
    """Every probe of the level, the typical one first.

    ``quick`` gives at most 8 probes, ``default`` mostly fewer than 45, ``thorough`` several times as many.
    ``constants`` are whole numbers from the candidate's graph (see `graph_constants`), around which sizes are tried.
    """
    typical = Typical(interface)
    probes = list(_of_one(typical, level, constants))
    probes += paired_probes(typical, {probe.name: probe for probe in probes}, level)
    if level == "thorough":
        probes += _elsewhere(typical, probes)
    if samples is not None:
        real = take(interface, samples, 0, _REAL_SAMPLES)
        probes.append(Probe(REAL_SAMPLES, "data as the model meets it in use", real))
    probes = list(among(probes, {probe.name for probe in probes if _is_within(interface, probe)}))
    return _quickest(probes) if level == "quick" else tuple(probes)


def _is_within(interface: Interface, probe: Probe) -> bool:
    """Whether the sizes of a probe satisfy the interface's conditions, unless it is there to tell what lies outside."""
    if probe.informative or not interface.conditions:
        return True
    return all(satisfied(interface.conditions, sizes_of(interface, feeds)) for feeds in (probe.feeds, *probe.ladder))


def _of_one(typical: Typical, level: LevelName, constants: Sequence[int]) -> Iterator[Probe]:
    """Probes that need no other."""
    yield from size_probes(typical, level, constants)
    yield from content_probes(typical)
    yield from vocabulary_probes(typical, level, constants)
    yield from mask_probes(typical)
    yield from step_probes(typical, level)


def _quickest(probes: Sequence[Probe]) -> tuple[Probe, ...]:
    """The most telling ones."""
    ranked = sorted(probes, key=lambda probe: _QUICK.index(probe.name) if probe.name in _QUICK else len(_QUICK))
    return among(probes, {probe.name for probe in ranked[:MOST_QUICK]})


def among(probes: Iterable[Probe], names: Set[str]) -> tuple[Probe, ...]:
    """The probes of these names, in their order; a relation whose base is none of them is left out."""
    kept = (probe for probe in probes if probe.name in names)
    return tuple(replace(p, relations=tuple(r for r in p.relations if r.base in names)) for p in kept)


def _elsewhere(typical: Typical, probes: Sequence[Probe]) -> Iterator[Probe]:
    """Other random numbers, at the traced sizes and where all axes have moved."""
    moved = next((probe for probe in probes if probe.name == "all axes moved"), probes[0])
    sizes = {axis: typical.size_in(moved.feeds, axis) for axis in typical.free_axes}
    for seed in range(SEED + 100, SEED + 104):
        yield Probe(f"typical again ({seed})", "other random numbers", typical.at({}, seed), seed=seed)
        feeds = typical.at(sizes, seed)
        yield Probe(f"moved again ({seed})", "other random numbers, other sizes", feeds, seed=seed, moved=moved.moved)
