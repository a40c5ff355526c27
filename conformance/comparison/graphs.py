"""What each graph is made of, and where its inputs and outputs are not those of another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

import onnx_ir as ir

from assay.conformance.candidate import Candidate
from assay.conformance.comparison.comparison import GraphFacts, LintCounts, TensorFacts
from assay.conformance.lint import lint
from assay.conformance.result import FileDigest
from assay.converters.bundle import MODEL
from assay.converters.files import read_model
from assay.converters.interface_json import FILE_NAME
from assay.converters.sources.onnx_model import graph_inputs, spec_of
from assay.specs.errors import AssayError

_AXIS = re.compile(r"(?<=[\[,])[A-Za-z_][^,\]]*")
Kind = Literal["input", "output"]


def graph_facts(candidate: Candidate, files: Sequence[FileDigest]) -> GraphFacts:
    """The facts of the candidate's graph; ``files`` are all that belong to it."""
    model = read_model(candidate.path)
    operators = Counter(_operator(node) for node in _nodes(model))
    inputs, outputs = (tuple(map(spec_of, values)) for values in (graph_inputs(model), model.graph.outputs))
    axes = dict.fromkeys(axis.name for spec in inputs for axis in spec.axes)
    return GraphFacts(
        opsets={domain or "ai.onnx": version for domain, version in model.opset_imports.items()},
        nodes=operators.total(),
        operators=dict(operators.most_common()),
        transposes=operators["Transpose"],
        parameters=sum(tensor.size for tensor in _weights(model)),
        bytes=sum(file.size for file in files if file.name != FILE_NAME),
        inputs=tuple(TensorFacts(name=spec.name, specification=str(spec)) for spec in inputs),
        outputs=tuple(TensorFacts(name=spec.name, specification=str(spec)) for spec in outputs),
        dynamic_axes=tuple(axes),
    )


def compared_with(facts: GraphFacts, other: GraphFacts, name: str) -> GraphFacts:
    """The facts with the differences of inputs and outputs from those of the model of this name."""
    found = (
        *_differences("input", facts.inputs, other.inputs, name),
        *_differences("output", facts.outputs, other.outputs, name),
    )
    return facts.model_copy(update={"against": name, "differences": found})


def lint_counts(candidate: Candidate) -> LintCounts:
    """How many findings the static rules have, by severity and by code."""
    path = candidate.path.parent if candidate.path.name == MODEL else candidate.path
    try:
        findings = lint(path)
    except AssayError as error:
        return LintCounts(reason=str(error))
    severities = Counter(finding.severity for finding in findings)
    codes = Counter(finding.code for finding in findings)
    return LintCounts(severities={kind: severities[kind] for kind in ("error", "warning", "info")}, codes=dict(codes))


def _nodes(model: ir.Model) -> Iterator[ir.Node]:
    """Every node, in subgraphs and functions too."""
    bodies: tuple[ir.Graph | ir.Function, ...] = (model.graph, *model.functions.values())
    for body in bodies:
        yield from body.all_nodes()


def _operator(node: ir.Node) -> str:
    return node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}:{node.op_type}"


def _weights(model: ir.Model) -> Iterator[ir.TensorProtocol]:
    """The initializers of all graphs, and the tensors in Constant nodes, where some exporters put weights."""
    graphs = (model.graph, *model.graph.subgraphs(), *(g for f in model.functions.values() for g in f.subgraphs()))
    for value in (value for graph in graphs for value in graph.initializers.values()):
        if value.const_value is not None:
            yield value.const_value
    for node in _nodes(model):
        attribute = node.attributes.get("value") if node.op_type == "Constant" else None
        if attribute is not None and attribute.type == ir.AttributeType.TENSOR:
            yield attribute.as_tensor()


def _anonymous(specification: str) -> str:
    """The specification whatever its dynamic axes are called."""
    return _AXIS.sub("?", specification)


def _differences(kind: Kind, ours: Sequence[TensorFacts], theirs: Sequence[TensorFacts], against: str) -> Iterator[str]:
    """Names that only one has, another order, another specification."""
    own, other = ({tensor.name: tensor.specification for tensor in tensors} for tensors in (ours, theirs))
    yield from (f"{kind} {name} is missing, but {against} has it" for name in other if name not in own)
    yield from (f"{kind} {name} is added, which {against} lacks" for name in own if name not in other)
    if list(own) != list(other) and set(own) == set(other):
        yield f"{kind}s come as {', '.join(own)}, but as {', '.join(other)} in {against}"
    for name in (name for name in own if name in other and _anonymous(own[name]) != _anonymous(other[name])):
        yield f"{kind} {name} is {own[name]}, but {other[name]} in {against}"
