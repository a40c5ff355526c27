"""How much a check does: what a level runs, and what it leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from assay.conformance.parity.probes import MOST_QUICK, LevelName, Probe, among
from assay.specs.errors import AssayError

_QUICK_GROWTH, _QUICK_ELEMENTS = 4, 100_000


@dataclass(frozen=True)
class Level:
    """``settings`` are the sweep's by name, ``repeats`` the runs of the first probe that have to agree; ``sessions``
    tells whether a second session, loaded from bytes, is compared with the first.
    """

    name: LevelName
    settings: tuple[str, ...]
    repeats: int
    sessions: bool
    proves: str

    def to_json(self) -> dict[str, Any]:
        """What a result says of the level."""
        return asdict(self)


UNOPTIMIZED = "without graph optimization"
_SETTINGS = (UNOPTIMIZED, "with basic graph optimization", "with extended graph optimization", "on one thread")
LEVELS = {
    level.name: level
    for level in (
        Level(
            "quick",
            (UNOPTIMIZED,),
            2,
            False,
            f"less than the default level: at most {MOST_QUICK} probes, no other threads, sessions or load paths",
        ),
        Level("default", _SETTINGS, 5, True, "parity on the probes of the default level"),
        Level("thorough", _SETTINGS, 20, True, "parity on more probes, and 20 repeats, which show rarer races"),
    )
}


class UnknownLevelError(AssayError):
    """A level that Assay has no name for."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"there is no level {self.name!r}, but there are {', '.join(LEVELS)}"


def level_of(name: str) -> Level:
    """The level of this name; raises `UnknownLevelError`."""
    if name not in LEVELS:
        raise UnknownLevelError(name)
    return LEVELS[name]


def kept_probes(level: Level, probes: Sequence[Probe]) -> tuple[Probe, ...]:
    """All probes; at the quick level a few, from both ends of their order, that together are not much larger than the
    first: what a forward pass costs goes by the size of its inputs.
    """
    if level.name != "quick":
        return tuple(probes)
    room = max(_QUICK_GROWTH * _elements(probes[0]), _QUICK_ELEMENTS)
    ends = [index for pair in zip(range(len(probes)), reversed(range(len(probes))), strict=True) for index in pair]
    kept: list[int] = []
    for index in dict.fromkeys(ends):
        if len(kept) < MOST_QUICK and _elements(probes[index]) <= room:
            kept.append(index)
            room -= _elements(probes[index])
    return among(probes, {probes[index].name for index in kept})


def _elements(probe: Probe) -> int:
    return sum(array.size for array in probe.feeds.values())
