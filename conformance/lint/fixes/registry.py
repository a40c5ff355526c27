"""The fixes by the code of the rule whose violations they mend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import onnx_ir as ir

from assay.specs.interface import Interface
from assay.specs.targets import Target


@dataclass
class Draft:
    """A model being mended, its interface (None where it has none), and the names that changed."""

    model: ir.Model
    interface: Interface | None
    target: Target | None
    file_sha256: str
    external: bool = False
    renamed_inputs: dict[str, str] = field(default_factory=dict)
    renamed_outputs: dict[str, str] = field(default_factory=dict)

    @property
    def graph(self) -> ir.Graph:
        """The main graph."""
        return self.model.graph


class UnmendableError(Exception):
    """A violation that its fix can't mend, and why; the draft is as it was."""


Fix = Callable[[Draft], None]
FIXES: dict[str, Fix] = {}


def fixes(*codes: str) -> Callable[[Fix], Fix]:
    """Register a function as the fix of the rules with these codes; it mends every violation that it can."""

    def register(fix: Fix) -> Fix:
        for code in codes:
            if code in FIXES:
                raise ValueError(f"rule {code} has the fix {FIXES[code].__name__} already, but should have one only")
            FIXES[code] = fix
        return fix

    return register
