"""Defects of the graph around the node at fault: another operator, one too many, one too few, other inputs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx_ir as ir
from onnx import defs

from assay.conformance.parity.diagnoses.diagnosis import Diagnosis
from assay.conformance.parity.diagnoses.mends import Transplant
from assay.conformance.parity.localisation.evidence import Evidence
from assay.conformance.parity.localisation.graph import line_of, module_of, name_of, taken_by

_SAME = 8.0  # times the noise


def transplant(evidence: Evidence) -> Transplant | None:
    """The value at fault computed as in the healthy graph; where that has none such, the output that it leads to."""
    node, twin = evidence.node, evidence.twin
    if node is None or twin is None:
        return graft(evidence)
    wrong = evidence.guilty.value if evidence.guilty else node.outputs[0].name or ""
    value = evidence.alignment.namesake(wrong)
    made = [one.name for one in twin.outputs]
    return Transplant(value if value in made and value else twin.outputs[0].name or "", wrong, evidence.agreeing())


def graft(evidence: Evidence) -> Transplant | None:
    """The first wrong output computed as in a healthy graph of another exporter, from where the two still agree."""
    wrong = evidence.guilty.value if evidence.guilty else evidence.node.outputs[0].name if evidence.node else None
    if evidence.healthy is None or wrong is None:
        return None
    outputs = [n for n in evidence.candidate.outputs if wrong in evidence.candidate.ancestors([n])]
    known = [(n, other) for n in outputs if (other := evidence.alignment.names.get(n)) is not None]
    return Transplant(known[0][1], known[0][0], evidence.agreeing()) if known else None


def added_node(evidence: Evidence) -> Iterator[Diagnosis]:
    """A node between two that follow each other in the healthy graph."""
    node, twin = evidence.node, evidence.twin
    if node is None or evidence.healthy is None or not evidence.alignment.is_close:
        return
    passed = _passed_through(evidence, node)
    if twin is not None and (
        passed is None or (twin.op_type == node.op_type and not _is_made_alike(evidence, passed, node))
    ):
        return
    sentence = f"{node.op_type} {name_of(node)} is not in the source's graph"
    yield Diagnosis(
        "added-node", sentence, name_of(node), mend=_bypass(evidence, node) if twin is None else transplant(evidence)
    )


def other_operator(evidence: Evidence) -> Iterator[Diagnosis]:
    """Another operator in the place of the healthy graph's."""
    node, twin = evidence.node, evidence.twin
    if node is None or twin is None or node.op_type == twin.op_type or not evidence.alignment.is_close:
        return
    if _passed_through(evidence, node):
        return
    sentence = f"{name_of(node)} is {_formula(evidence, node)}, but should be {twin.op_type}"
    told = {"got": node.op_type, "expected": twin.op_type}
    yield Diagnosis("other-operator", sentence, name_of(node), told, transplant(evidence))


def missing_node(evidence: Evidence) -> Iterator[Diagnosis]:
    """A node of the healthy graph that the candidate goes around."""
    for index, got, expected in _other_inputs(evidence):
        graph = evidence.healthy.graph if evidence.healthy else None
        made = graph.producers.get(expected) if graph else None
        if made is None or got is None or got in evidence.candidate.constants or evidence.node is None:
            continue
        if expected in evidence.candidate.producers:
            continue
        where = _where(made)
        sentence = (
            f"{made.op_type} {name_of(made)}{where} is dropped: {name_of(evidence.node)} takes {got} in its place"
        )
        told = {"input": index, "missing": name_of(made)}
        yield Diagnosis("missing-node", sentence, name_of(evidence.node), told, transplant(evidence))


def other_input(evidence: Evidence) -> Iterator[Diagnosis]:
    """An input from elsewhere in the graph, two inputs that are swapped, or one that is left out."""
    node, twin = evidence.node, evidence.twin
    if node is None or twin is None or evidence.healthy is None or node.op_type != twin.op_type:
        return
    if _crossed(evidence, node, twin):
        sentence = f"inputs 0 and 1 of {node.op_type} {name_of(node)} are swapped"
        yield Diagnosis("swapped-inputs", sentence, name_of(node), mend=transplant(evidence))
        return
    for index, got, expected in _other_inputs(evidence):
        if got is None:
            sentence = f"{_operand(node, evidence.candidate.model, index)} of {node.op_type} {name_of(node)} is dropped"
            yield Diagnosis("missing-operand", sentence, name_of(node), {"input": index}, transplant(evidence))
        elif got not in evidence.candidate.constants and expected in evidence.candidate.producers | dict.fromkeys(
            evidence.candidate.inputs
        ):
            sentence = f"input {index} of {node.op_type} {name_of(node)} is {got}, but should be {expected}"
            yield Diagnosis("other-input", sentence, name_of(node), {"input": index}, transplant(evidence))


def _other_inputs(evidence: Evidence) -> Iterator[tuple[int, str | None, str]]:
    """Position, own name and healthy name of each input that is not the healthy node's; constants of both apart."""
    node, twin = evidence.node, evidence.twin
    if node is None or twin is None or evidence.healthy is None or node.op_type != twin.op_type:
        return
    constants = evidence.healthy.graph.constants
    own, wanted = [_named(v) for v in node.inputs], [_named(v) for v in twin.inputs]
    own += [None] * (len(wanted) - len(own))
    for index, (got, expected) in enumerate(zip(own, wanted, strict=False)):
        if expected is None or (got in evidence.candidate.constants and expected in constants):
            continue
        if got is None or evidence.counterpart(got) != expected:
            yield index, got, expected


def _crossed(evidence: Evidence, node: ir.Node, twin: ir.Node) -> bool:
    own, wanted = [_named(v) for v in node.inputs[:2]], [_named(v) for v in twin.inputs[:2]]
    if len(own) < 2 or len(wanted) < 2 or None in (*own, *wanted) or own[0] == own[1]:
        return False
    return (
        _is(evidence, own[0], wanted[1]) and _is(evidence, own[1], wanted[0]) and not _is(evidence, own[0], wanted[0])
    )


def _is(evidence: Evidence, name: str | None, other: str | None) -> bool:
    """Whether a value of the candidate is this one of the healthy graph; constants are told by their content."""
    assert evidence.healthy is not None
    assert name is not None
    got, expected = evidence.candidate.array(name), evidence.healthy.graph.array(other or "")
    if got is None or expected is None:
        return got is None and expected is None and evidence.counterpart(name) == other
    return got.shape == expected.shape and got.dtype == expected.dtype and bool(np.array_equal(got, expected))


def _passed_through(evidence: Evidence, node: ir.Node) -> str | None:
    """The input that is already what the node should make: the node is one too many."""
    wanted = evidence.alignment.namesake(node.outputs[0].name or "")
    if wanted is None:
        return None
    fed = (name for name in taken_by(node) if name in evidence.alignment.got.arrays)
    return next((name for name in fed if evidence.alignment.ratio(name, wanted) <= _SAME), None)


def _is_made_alike(evidence: Evidence, name: str, node: ir.Node) -> bool:
    made = evidence.candidate.producers.get(name)
    return made is not None and made.op_type == node.op_type


def _bypass(evidence: Evidence, node: ir.Node) -> Transplant | None:
    """A node without a namesake: the first right value behind it is computed as in the healthy graph."""
    taker = next(iter(evidence.candidate.consumers.get(node.outputs[0].name or "", [])), None)
    if taker is None:
        return None
    wrong = taker.outputs[0].name or ""
    value = evidence.alignment.namesake(wrong)
    return graft(evidence) if value is None else Transplant(value, wrong, evidence.agreeing())


def _formula(evidence: Evidence, node: ir.Node) -> str:
    """``Log of Softmax`` where what the node takes is a node that the healthy graph does not have."""
    made = (evidence.candidate.producers.get(name) for name in taken_by(node))
    extra = [
        one.op_type
        for one in made
        if one is not None and evidence.alignment.namesake(one.outputs[0].name or "") is None
    ]
    return f"{node.op_type} of {extra[0]}" if extra else node.op_type


def _operand(node: ir.Node, model: ir.Model, index: int) -> str:
    """The name that the operator's schema gives this input; the third of these is their bias."""
    if node.op_type in ("Gemm", "Conv", "ConvTranspose") and index == 2:
        return "bias"
    try:
        schema = defs.get_schema(node.op_type, model.opset_imports.get(node.domain) or 1, node.domain)
    except defs.SchemaError:
        return f"input {index}"
    return f"input {schema.inputs[min(index, len(schema.inputs) - 1)].name}"


def _where(node: ir.Node) -> str:
    told = [part for part in (module_of(node), line_of(node)) if part]
    return f" ({', '.join(told)})" if told else ""


def _named(value: ir.Value | None) -> str | None:
    return value.name or None if value is not None else None
