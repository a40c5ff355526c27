"""OP, SH, IO, WT: what the target allows."""

from __future__ import annotations

from collections.abc import Iterator

import onnx_ir as ir

from assay.conformance.lint.candidate import StaticCandidate, declared_shape
from assay.conformance.lint.dtypes import profile_name
from assay.conformance.lint.operator_forms import form_of
from assay.conformance.lint.registry import FilePart, Violation, rule
from assay.conformance.lint.tensors import tensors
from assay.specs.targets import Target


@rule("OP044")
def operator_is_allowed(candidate: StaticCandidate) -> Iterator[Violation]:
    """No operator is of a class that the target forbids."""
    target = candidate.target
    for node in candidate.nodes(*target.forbidden) if target else ():
        kind = target.forbidden[node.op_type] if target else ""
        yield Violation(
            node, f"{node.op_type} is of the class {kind}, but should not be there on the target {_name(target)}"
        )


@rule("OP045")
def function_is_allowed(candidate: StaticCandidate) -> Iterator[Violation]:
    """A target that wants no functions gets none."""
    target, count = candidate.target, len(candidate.model.functions)
    if target is not None and not target.functions and count:
        part = FilePart(candidate.path.name, "functions")
        yield Violation(part, f"there are {count} functions, but should be none on the target {target.name}")


@rule("OP046")
def node_count_is_allowed(candidate: StaticCandidate) -> Iterator[Violation]:
    """The graph has no more nodes than the target takes."""
    target, count = candidate.target, sum(len(scope.nodes) for scope in candidate.scopes)
    if target is not None and target.nodes is not None and count > target.nodes:
        part = FilePart(candidate.path.name, "graph")
        yield Violation(
            part, f"there are {count} nodes, but should be at most {target.nodes} on the target {target.name}"
        )


@rule("OP047")
def opset_is_young_enough(candidate: StaticCandidate) -> Iterator[Violation]:
    """The opset is no older than the oldest that the target runs as its operators are meant today."""
    target = candidate.target
    for domain, oldest in target.oldest_opset.items() if target else ():
        version = candidate.model.opset_imports.get("" if domain == "ai.onnx" else domain)
        if version is not None and version < oldest:
            part = FilePart(candidate.path.name, "opset_import")
            got = f"opset of {domain} is {version}"
            yield Violation(part, f"{got}, but should be at least {oldest} for the target {_name(target)}")


@rule("IO022")
def dtype_is_allowed(candidate: StaticCandidate) -> Iterator[Violation]:
    """Inputs, outputs and weights have dtypes that the target knows."""
    target = candidate.target
    if target is None or not target.dtypes:
        return
    values = {value: value.dtype for value in (*candidate.inputs, *candidate.outputs)}
    held = values | {value: candidate.dtype_of(value) for value in candidate.graph.initializers.values()}
    for value, dtype in held.items():
        name = None if dtype is None else profile_name(dtype)
        if name is not None and name not in target.dtypes:
            due = ", ".join(sorted(target.dtypes))
            yield Violation(value, f"is {name}, but should be one of {due} on the target {target.name}")


@rule("SH018")
def axis_may_be_dynamic(candidate: StaticCandidate) -> Iterator[Violation]:
    """Only those axes are dynamic that the target leaves open."""
    target = candidate.target
    if target is None or target.dynamic_axes is None:
        return
    for value in (*candidate.inputs, *candidate.outputs):
        for index, dim in enumerate(declared_shape(value) or ()):
            if not isinstance(dim, int) and dim not in target.dynamic_axes:
                yield Violation(value, f"axis {index} is dynamic, but should have a size on the target {target.name}")


@rule("SH019")
def size_is_constant(candidate: StaticCandidate) -> Iterator[Violation]:
    """A target with static memory gets sizes that are constants."""
    target = candidate.target
    for node in candidate.nodes(*target.constant_operands) if target else ():
        for name in _computed_operands(candidate, node, target.constant_operands[node.op_type] if target else ()):
            got = f"{name} of {node.op_type} is computed"
            yield Violation(node, f"{got}, but should be a constant on the target {_name(target)}")


def _computed_operands(candidate: StaticCandidate, node: ir.Node, operands: tuple[str, ...]) -> list[str]:
    form = form_of(node.op_type, candidate.model.opset_imports.get("", 1), "")
    formals = form.formals(len(node.inputs)) if form is not None else ()
    named = [(formal.name, value) for formal, value in zip(formals, node.inputs, strict=False) if value is not None]
    return [name for name, value in named if name in operands and ir.convenience.get_const_tensor(value) is None]


@rule("WT015")
def size_is_allowed(candidate: StaticCandidate) -> Iterator[Violation]:
    """The file and its weights are no larger than the target takes."""
    target = candidate.target
    if target is None:
        return
    weights = sum(tensor.nbytes for _, tensor in tensors(candidate))
    for kind, size, limit in (
        ("the file has", candidate.path.stat().st_size, target.model_bytes),
        ("the weights have", weights, target.initializer_bytes),
    ):
        if limit is not None and size > limit:
            part = FilePart(candidate.path.name)
            yield Violation(part, f"{kind} {size} bytes, but should have at most {limit} on the target {target.name}")


def _name(target: Target | None) -> str:
    return "" if target is None else target.name
