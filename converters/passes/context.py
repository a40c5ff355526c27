"""What passes know of a conversion besides the graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assay.specs.interface import Interface


@dataclass(frozen=True)
class PassContext:
    """The interface that the graph shall have, the raw names of its inputs in that order, and what to stamp on it."""

    source: str
    interface: Interface
    raw_inputs: tuple[str, ...]
    metadata: Mapping[str, str]
