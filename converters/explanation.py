"""What a conversion would write for each operator of a source, and what it would refuse, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from assay.converters.exporter import ConvertError, exporter_name, load_part
from assay.converters.sources.base import Source

WRITTEN, NOTHING, CONSTANT, REFUSED, HANGING = (
    "written",
    "nothing to write",
    "constant",
    "refused",
    "hangs on a refusal",
)


@dataclass(frozen=True)
class Place:
    """An operation: its node in the source's graph, and the layer and the line of code that it comes from if known."""

    node: str
    layer: str = ""
    line: str = ""


@dataclass(frozen=True)
class Coverage:
    """Operations of one operator that have the same fate.

    ``state`` is one of ``written``, ``nothing to write`` (the value is passed on, or a call written as its parts),
    ``constant``, ``refused`` and ``hangs on a refusal`` (not tried, as what it takes was refused). ``onnx`` counts the
    ONNX operators that stand for them all; ``reason`` says why they are refused, and ``places`` where these are.
    """

    operator: str
    state: str
    count: int
    onnx: Mapping[str, int]
    reason: str = ""
    places: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """How an exporter covers a source, the most frequent operators first, what is refused before the others."""

    source: str
    exporter: str
    opset: int
    operators: tuple[Coverage, ...]

    @property
    def covered(self) -> bool:
        """Whether the source can be converted."""
        return not any(coverage.state == REFUSED for coverage in self.operators)

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"covered": self.covered, **asdict(self)}


class Explainer(Protocol):
    """What an exporter has that can be asked."""

    def __call__(self, source: Source, opset: int | None) -> Explanation:
        """Try each operator, and write nothing."""
        ...


_EXPLAINERS = {"assay.tensorflow": "assay.converters.tensorflow.coverage:explain"}


def explain(source: Source, opset: int | None = None, exporter: str | None = None) -> Explanation:
    """How the exporter of this name, or the one that suits the source, covers the source's operators.

    Raises `ConvertError` where the source is not for that exporter, or where it can't tell before it converts.
    """
    name = exporter_name(source, exporter)
    if name not in _EXPLAINERS:
        told = ", ".join(_EXPLAINERS)
        raise ConvertError(
            source.name,
            f"the exporter {name} can't tell what it covers before it converts, but {told} can; "
            "convert without --explain, and what is refused is told",
        )
    explainer: Explainer = load_part(source, _EXPLAINERS[name])
    return explainer(source, opset)


def ordered(found: Sequence[Coverage]) -> tuple[Coverage, ...]:
    """Refused ones first, then by how many there are, then by name."""
    return tuple(sorted(found, key=lambda one: (one.state != REFUSED, -one.count, one.operator, one.reason)))
