"""Weights that the audit found to be almost the source's: named, and put back from the source itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx_ir as ir

from assay.conformance.parity.diagnoses.diagnosis import CannotMend, Diagnosis
from assay.conformance.parity.weight_findings import OTHER_WEIGHT
from assay.conformance.result import Finding
from assay.conformance.weight_audit import restored
from assay.converters.sources import Source

_LISTED = 3
_FEW = "elements"  # the one kind of difference that says nothing of other weights
_TIMES = 4.0  # the noise: a short vector's may be so large


@dataclass(frozen=True)
class TakeSourceWeights:
    """The named constants as the source's weights say, in the candidate's layout and dtype.

    Vectors that are off by less than ``within`` are taken over, too: what added noise or rounded did so to biases.
    """

    source: Source
    file: Path
    names: tuple[str, ...]
    within: float = 0.0

    def __call__(self, candidate: ir.Model, healthy: ir.Model) -> None:  # noqa: ARG002 - the source knows the weights
        """Replace the arrays; raises `CannotMend` where one has no counterpart."""
        arrays = self.source.ask(restored, self.file, self.names, self.within)
        lost = [name for name in self.names if name not in arrays]
        if lost:
            raise CannotMend(f"the source has no counterpart of {', '.join(lost)}")
        placed = [_put(graph, arrays) for graph in (candidate.graph, *candidate.graph.subgraphs())]
        missing = set(self.names).difference(*placed)
        if missing:
            raise CannotMend(f"{', '.join(sorted(missing))} is in no graph")


def audited_weights(findings: Sequence[Finding], source: Source, file: Path) -> Iterator[Diagnosis]:
    """One diagnosis of all the weights that the audit found; the mend without biases stands second."""
    found = [finding for finding in findings if is_weight_error(finding)]
    names = {str(name): str(own) for one in found for name, own in one.evidence["weights"].items()}
    if not names:
        return
    told = {"weights": names, "how": [one.evidence["how"] for one in found]}
    chosen = tuple(names)
    for within in sorted({0.0, _TIMES * _noise(found)}, reverse=True):
        mend = TakeSourceWeights(source, file, chosen, within)
        yield Diagnosis("source-weights", _sentence(names), None, told, mend)


def is_weight_error(finding: Finding) -> bool:
    """Whether the audit found it, and which weights are meant."""
    return finding.code == OTHER_WEIGHT and finding.severity == "error" and bool(finding.evidence.get("weights"))


def _noise(findings: Sequence[Finding]) -> float:
    """The size of what was done to all of the weights, if anything was."""
    return max((float(one.evidence["relative"]) for one in findings if one.evidence["how"] != _FEW), default=0.0)


def _sentence(names: Mapping[str, str]) -> str:
    pairs = [f"{name}, but should be {own}" for name, own in names.items()]
    if len(pairs) == 1:
        return f"a weight is not the source's: {pairs[0]}"
    more = "; ..." if len(pairs) > _LISTED else ""
    return f"{len(pairs)} weights are not the source's: {'; '.join(pairs[:_LISTED])}{more}"


def _put(graph: ir.Graph, arrays: Mapping[str, np.ndarray]) -> set[str]:
    """Replace the graph's own constants of these names; returns which they were."""
    done = set()
    for name, array in arrays.items():
        value = graph.initializers.get(name)
        if value is not None:
            value.const_value = ir.tensor(array, name=name)
            done.add(name)
    for node in graph:
        name = node.outputs[0].name or ""
        if node.op_type == "Constant" and name in arrays:
            node.attributes["value"] = ir.AttrTensor("value", ir.tensor(arrays[name], name=name))
            done.add(name)
    return done
