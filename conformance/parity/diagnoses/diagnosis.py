"""A diagnosis: the defect by name, with the mend that it implies where there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import onnx_ir as ir

from assay.conformance.parity.localisation.evidence import Evidence
from assay.conformance.result import Finding

Mend = Callable[[ir.Model, ir.Model], None]


class CannotMend(Exception):
    """A mend that does not apply to the graph; the text says why."""


@dataclass(frozen=True)
class Diagnosis:
    """``kind`` names the sort of defect; ``mend`` changes the candidate in place, with parts of the healthy model.

    ``of_interface`` where the defect is in the model's inputs or outputs and no node is at fault.
    """

    kind: str
    message: str
    node: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    mend: Mend | None = None
    of_interface: bool = False

    def finding(self) -> Finding:
        """The diagnosis as information in the check's findings."""
        location = {"node": self.node} if self.node else {}
        evidence = {"kind": self.kind, **self.evidence}
        return Finding(code="PA027", severity="info", message=self.message, location=location, evidence=evidence)


Diagnostician = Callable[[Evidence], Iterator[Diagnosis]]
