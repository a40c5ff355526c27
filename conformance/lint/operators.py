"""OP: operators, their opsets, and the modes they run in."""

from __future__ import annotations

from collections.abc import Iterator

import onnx_ir as ir

from assay.conformance.lint.candidate import Scope, StaticCandidate
from assay.conformance.lint.operator_forms import Form, form_of
from assay.conformance.lint.registry import FilePart, Violation, rule

ONNX = "ai.onnx"
_ANY_TARGET = frozenset({ONNX, "ai.onnx.ml", "com.microsoft"})
_SPECIFIED = frozenset({ONNX, "ai.onnx.ml"})
_HARDWARE = frozenset({"com.microsoft.nchwc", "com.ms.internal.nhwc"})
_PLAIN = (ir.TensorType, type(None))
_RECENT = 13
_RANDOM = ("RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli")


@rule("OP001")
def versions_fit_target(candidate: StaticCandidate) -> Iterator[Violation]:
    """The target loads the model's opsets and IR version."""
    target, model = candidate.target, candidate.model
    if target is None:
        return
    if model.ir_version > target.ir_version:
        got = f"IR version is {model.ir_version}"
        yield Violation(
            _model_file(candidate), f"{got}, but should be at most {target.ir_version} for the target {target.name}"
        )
    for domain, version in sorted(_imports(candidate).items()):
        if version > target.opset.get(domain, version):
            got = f"opset of {domain} is {version}"
            yield Violation(
                _model_file(candidate),
                f"{got}, but should be at most {target.opset[domain]} for the target {target.name}",
            )


@rule("OP002")
def operator_is_known(candidate: StaticCandidate) -> Iterator[Violation]:
    """Every operator is defined, by a standard, by the target or by the model itself."""
    allowed = candidate.target.domains if candidate.target else _ANY_TARGET
    for scope in candidate.scopes:
        for node in scope.nodes:
            domain = node.domain or ONNX
            if node.op_identifier() in candidate.model.functions or domain in _HARDWARE:
                continue
            fault = _domain_fault(domain, allowed, scope) or _operator_fault(node, scope)
            if fault:
                yield Violation(node, fault)


def _domain_fault(domain: str, allowed: frozenset[str], scope: Scope) -> str | None:
    if domain not in allowed:
        return f"domain is {domain}, but should be one of {', '.join(sorted(allowed))}"
    if ("" if domain == ONNX else domain) not in scope.opsets:
        return f"domain {domain} has no opset import, but should have one"
    return None


def _operator_fault(node: ir.Node, scope: Scope) -> str | None:
    if (node.domain or ONNX) not in _SPECIFIED:
        return None
    version = scope.opsets[node.domain]
    state = _state(node.op_type, version, node.domain)
    return (
        None
        if state is None
        else f"{node.op_type} {state} of {node.domain or ONNX} {version}, but should be an operator of it"
    )


def _state(operator: str, version: int, domain: str) -> str | None:
    form = form_of(operator, version, domain)
    if form is None:
        return "is no operator"
    return "is a deprecated operator" if form.deprecated else None


@rule("OP003")
def mode_is_inference(candidate: StaticCandidate) -> Iterator[Violation]:
    """Nothing in the graph still trains."""
    for node in candidate.nodes("Dropout"):
        mode = node.inputs[2] if len(node.inputs) > 2 else None
        value = candidate.constant(mode)
        if value is not None and value.any():
            yield Violation(node, "training_mode is true, but should be false")
    for node in candidate.nodes("BatchNormalization"):
        if node.attributes.get_int("training_mode", 0):
            yield Violation(node, "training_mode is 1, but should be 0")


@rule("OP004")
def randomness_is_seeded(candidate: StaticCandidate) -> Iterator[Violation]:
    """Random operators have a seed."""
    for node in candidate.nodes(*_RANDOM):
        if "seed" not in node.attributes:
            yield Violation(node, f"{node.op_type} has no seed, but should have one")


@rule("OP005")
def layout_is_portable(candidate: StaticCandidate) -> Iterator[Violation]:
    """No operator belongs to one kind of hardware."""
    for node in candidate.all_nodes:
        if node.domain in _HARDWARE:
            got = f"{node.op_type} of {node.domain} is specific to one kind of hardware"
            yield Violation(node, f"{got}, but should be a portable operator")


@rule("OP006")
def value_is_defined(candidate: StaticCandidate) -> Iterator[Violation]:
    """Every value that is read or given out comes from a node, an input or an initializer."""
    for node in candidate.all_nodes:
        for value in node.inputs:
            if value is not None and not _is_defined(value):
                sentence = f"reads {value.name!r}, which nothing defines, but should read a value that is defined"
                yield Violation(node, sentence)
    for value in candidate.outputs:
        if not _is_defined(value):
            yield Violation(value, "is defined by nothing, but should be by an operator, an input or an initializer")


@rule("OP007")
def dtypes_agree(candidate: StaticCandidate) -> Iterator[Violation]:
    """Each operator reads dtypes that it takes, and one dtype where it wants one."""
    for scope in candidate.scopes:
        for node in scope.nodes:
            form = form_of(node.op_type, scope.opsets.get(node.domain, 0), node.domain)
            fault = None if form is None else _dtype_fault(candidate, node, form)
            if fault:
                yield Violation(node, fault)


def _dtype_fault(candidate: StaticCandidate, node: ir.Node, form: Form) -> str | None:
    bound: dict[str, ir.DataType] = {}
    for value, formal in zip(node.inputs, form.formals(len(node.inputs)), strict=False):
        dtype = candidate.dtype_of(value) if value is None or isinstance(value.type, _PLAIN) else None
        if value is None or dtype is None:
            continue
        allowed = form.types.get(formal.kind, (formal.kind,))
        if f"tensor({dtype.name.lower()})" not in allowed:
            return f"{formal.name} is {dtype.name.lower()}, but should be one of {', '.join(sorted(allowed))}"
        first = bound.setdefault(formal.kind, dtype) if formal.homogeneous else dtype
        if formal.kind in form.types and first != dtype:
            return f"{formal.name} is {dtype.name.lower()}, but should be {first.name.lower()} as the input before"
    return None


@rule("OP008")
def form_is_kept(candidate: StaticCandidate) -> Iterator[Violation]:
    """Each operator has the inputs, outputs and attributes that its definition asks for, and no others."""
    for scope in candidate.scopes:
        for node in scope.nodes:
            form = form_of(node.op_type, scope.opsets.get(node.domain, 0), node.domain)
            fault = None if form is None else _form_fault(node, form)
            if fault:
                yield Violation(node, fault)


def _form_fault(node: ir.Node, form: Form) -> str | None:
    for kind, count, (low, high) in (
        ("inputs", len(node.inputs), form.input_counts),
        ("outputs", len(node.outputs), form.output_counts),
    ):
        if not low <= count <= high:
            due = f"{low} at least" if count < low else f"{high} at most"
            return f"has {count} {kind}, but should have {due}"
    places = enumerate(zip(node.inputs, form.inputs, strict=False))
    absent = next((i for i, (value, formal) in places if value is None and not formal.optional), None)
    if absent is not None:
        return f"input {absent} is absent, but should be there"
    missing, unknown = form.required - set(node.attributes), set(node.attributes) - form.attributes
    if missing:
        return f"has no attribute {min(missing)}, but should have it"
    return f"has the attribute {min(unknown)}, but should have none of that name" if unknown else None


@rule("OP009")
def opset_is_one(candidate: StaticCandidate) -> Iterator[Violation]:
    """Functions import the versions that the model imports."""
    imports = candidate.model.opset_imports
    for key, function in candidate.model.functions.items():
        for domain, version in function.opset_imports.items():
            if imports.get(domain, version) != version:
                got = f"{'.'.join(key[:2])} imports {domain or ONNX} {version}"
                part = FilePart(candidate.path.name, "functions")
                yield Violation(part, f"{got}, but should import {imports[domain]} as the model")


@rule("OP010")
def import_is_used(candidate: StaticCandidate) -> Iterator[Violation]:
    """No imported domain is without a node."""
    used = {node.domain for node in candidate.all_nodes} | {""}
    unused = sorted(set(candidate.model.opset_imports) - used)
    if unused:
        sentence = f"imports {', '.join(unused)}, of which no node is, but should import what it uses"
        yield Violation(FilePart(candidate.path.name, "opset_import"), sentence)


@rule("OP011")
def opset_is_recent(candidate: StaticCandidate) -> Iterator[Violation]:
    """The opset has today's meaning of the operators."""
    version = candidate.model.opset_imports.get("", _RECENT)
    if version < _RECENT:
        sentence = f"opset of {ONNX} is {version}, but should be at least {_RECENT}, where Softmax and others changed"
        yield Violation(FilePart(candidate.path.name, "opset_import"), sentence)


@rule("OP016")
def operator_is_portable(candidate: StaticCandidate) -> Iterator[Violation]:
    """Each operator is of a standard domain, or a function of the model."""
    own = {node.op_identifier() for node in candidate.all_nodes} & set(candidate.model.functions)
    for node in candidate.all_nodes:
        if (node.domain or ONNX) not in _SPECIFIED | _HARDWARE and node.op_identifier() not in own:
            got = f"{node.op_type} of {node.domain} is one runtime's own"
            yield Violation(node, f"{got}, but should be an operator of the ONNX standard")


def _is_defined(value: ir.Value) -> bool:
    return value.producer() is not None or value.is_graph_input() or value.is_initializer()


def _imports(candidate: StaticCandidate) -> dict[str, int]:
    """The newest import of each domain, of the graph and its functions."""
    newest: dict[str, int] = {}
    for scope in candidate.scopes:
        for domain, version in scope.opsets.items():
            newest[domain or ONNX] = max(version, newest.get(domain or ONNX, 0))
    return newest


def _model_file(candidate: StaticCandidate) -> FilePart:
    return FilePart(candidate.path.name)
