"""Defects of inputs and outputs: swapped, dropped, of another dtype, fixed to a size, ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from assay.conformance.parity.diagnoses.diagnosis import Diagnosis
from assay.conformance.parity.diagnoses.mends import AddInputs, RenameOutputs, SetInputShapes, Transplant
from assay.conformance.parity.localisation.alignment import tells
from assay.conformance.parity.localisation.evidence import Evidence
from assay.conformance.parity.localisation.graph import name_of
from assay.conformance.parity.localisation.noise import error_ratio
from assay.conformance.parity.oracle import Noise
from assay.specs.interface import Axis

_SAME = 1e-4  # of the largest element: enough to tell one output from another


def swapped_outputs(evidence: Evidence) -> Iterator[Diagnosis]:
    """Outputs that hold each other's values."""
    holds = {n: h for n, value in evidence.got.items() if (h := _held(n, value, evidence.expected)) is not None}
    moved = {name: held for name, held in holds.items() if name != held}
    if not moved or set(moved) != set(moved.values()):
        return
    places = [list(evidence.expected).index(name) for name in moved]
    told = (
        f"outputs {' and '.join(map(str, sorted(places)))} are swapped" if len(moved) == 2 else "outputs are permuted"
    )
    names = "; ".join(f"{name} holds {held}" for name, held in moved.items())
    own = {evidence.own_names[name]: evidence.own_names[held] for name, held in moved.items()}
    yield Diagnosis(
        "swapped-outputs", f"{told}: {names}", evidence={"holds": moved}, mend=RenameOutputs(own), of_interface=True
    )


def missing_output(evidence: Evidence) -> Iterator[Diagnosis]:
    """An output that the model does not give, though it may compute it."""
    for name, own in evidence.own_names.items():
        if own in evidence.candidate.outputs:
            continue
        inside = _computed(evidence, name)
        made = f"; {name_of(evidence.candidate.producers[inside])} computes it still, as {inside}" if inside else ""
        mend = None if evidence.healthy is None else Transplant(name, None, _agreeing(evidence))
        yield Diagnosis("dropped-output", f"output {name} is dropped{made}", mend=mend, of_interface=True)


def fixed_axis(evidence: Evidence) -> Iterator[Diagnosis]:
    """An input that declares one size where the source takes any."""
    declared = {value.name: value.shape for value in evidence.candidate.model.graph.inputs}
    for spec in evidence.interface.inputs:
        shape = declared.get(spec.name)
        for index, dim in enumerate(spec.dims or ()):
            size = shape[index] if shape is not None and index < len(shape) else None
            if isinstance(dim, Axis) and isinstance(size, int):
                sentence = f"axis {dim.name} of input {spec.name} is fixed to {size}, but should be dynamic"
                mend = (
                    SetInputShapes(tuple(one.name for one in evidence.interface.inputs)) if evidence.healthy else None
                )
                yield Diagnosis("fixed-axis", sentence, evidence={"size": size}, mend=mend, of_interface=True)


def missing_input(evidence: Evidence) -> Iterator[Diagnosis]:
    """An input that the model does not take; the exporter may have dropped it because nothing uses it."""
    for spec in evidence.interface.inputs:
        if spec.name not in evidence.candidate.inputs:
            sentence = f"input {spec.name} is missing: the exporter dropped it"
            mend = AddInputs() if evidence.healthy else None
            yield Diagnosis("missing-input", sentence, mend=mend, of_interface=True)


def ignored_input(evidence: Evidence) -> Iterator[Diagnosis]:
    """An input that reaches no output, though it does in the healthy graph."""
    if evidence.healthy is None:
        return
    used, wanted = (graph.ancestors(graph.outputs) for graph in (evidence.candidate, evidence.healthy.graph))
    for name in sorted(evidence.candidate.inputs):
        other = evidence.alignment.names.get(name, name)
        if name not in used and other in wanted:
            node = evidence.node
            where = f" from node {name_of(node)} on" if node else ""
            mend = _transplant_at(evidence)
            yield Diagnosis(
                "ignored-input", f"input {name} is ignored{where}", name_of(node) if node else None, mend=mend
            )


def _transplant_at(evidence: Evidence) -> Transplant | None:
    twin = evidence.twin
    if twin is None or evidence.node is None:
        return None
    return Transplant(twin.outputs[0].name or "", evidence.node.outputs[0].name, _agreeing(evidence))


def _held(name: str, value: np.ndarray, expected: Mapping[str, np.ndarray]) -> str | None:
    """The output of the source whose values this is: its own if that is right, else another of the same shape."""
    ordered = sorted(expected, key=lambda other: other != name)
    return next((n for n in ordered if tells(value) and _alike(value, expected[n])), None)


def _alike(got: np.ndarray, expected: np.ndarray) -> bool:
    size = float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0)) if expected.dtype.kind == "f" else 0.0
    return error_ratio(got, expected, Noise(_SAME * size, _SAME * size)) <= 1.0


def _computed(evidence: Evidence, name: str) -> str | None:
    """The value of the candidate that is what this output should be."""
    values = evidence.alignment.got.arrays
    found = (own for own, value in values.items() if tells(value) and _alike(value, evidence.expected[name]))
    return next(found, None)


def _agreeing(evidence: Evidence) -> dict[str, str]:
    return evidence.agreeing()
