"""What passes know of a conversion besides the graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from assay.specs.interface import Interface


@dataclass(frozen=True)
class PassContext:
    """The interface that the graph shall have, the raw names of its inputs in that order, and what to stamp on it.

    ``settings`` are what the source's layers were told, by the path of the layer.
    """

    source: str
    interface: Interface
    raw_inputs: tuple[str, ...]
    metadata: Mapping[str, str]
    settings: Mapping[str, Mapping[str, float | str]] = field(default_factory=dict)
