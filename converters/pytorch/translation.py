"""An ``ExportedProgram`` to an ONNX graph: our own lowerings first, then the exporter's."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import onnx_ir as ir
import torch
from torch.fx.experimental import _config
from torch.onnx._internal.exporter._decomp import create_onnx_friendly_decomposition_table
from torch.onnx._internal.exporter._registration import ONNXRegistry

from assay.converters.exporter import ConvertError
from assay.converters.pytorch.empty_tensors import require_loadable
from assay.converters.pytorch.kernel_casts import cast_for_kernels
from assay.converters.pytorch.lowerings.registry import decompositions, load_table, program_nodes
from assay.converters.pytorch.upstream import exact_rewriting, reason

_OPSET = 20
_ASSERTIONS = ("aten::_assert_", "aten::sym_constrain_range")  # which the exporter drops


def translate(program: torch.export.ExportedProgram, opset: int | None, name: str) -> ir.Model:
    """The graph of a program; ``name`` is what errors call the source. Raises `ConvertError`."""
    require_convertible(program, name)
    try:
        program = lowered(program, opset or _OPSET)
    except Exception as error:
        raise ConvertError(name, f"torch.export: {reason(error)}") from error
    require_convertible(program, name)
    translations = {operator: one.function for operator, one in load_table().translations.items()}
    try:
        with exact_rewriting():
            exported = torch.onnx.export(
                program, dynamo=True, opset_version=opset, verbose=False, custom_translation_table=translations
            )
    except Exception as error:
        raise ConvertError(name, _cause(error)) from error
    assert exported is not None
    cast_for_kernels(exported.model, name)
    require_loadable(exported.model, name)
    return exported.model


def lowered(program: torch.export.ExportedProgram, opset: int) -> torch.export.ExportedProgram:
    """The program with our own decompositions traced in; itself where it calls nothing that has to be decomposed.

    The exporter's own decompositions go with ours, for operators come to light within decompositions.
    """
    ours = decompositions(program)
    own = set(load_table().translations)
    called = {node.target for node in program_nodes(program) if isinstance(node.target, torch._ops.OpOverload)}
    known = _upstream(opset) | own
    called = {target for target in called if not target.name().startswith(_ASSERTIONS)}
    if not any(target in ours or target not in known for target in called):
        return program
    theirs = create_onnx_friendly_decomposition_table(set(known))
    with _config.patch(backed_size_oblivious=True):  # type: ignore[attr-defined]
        decomposed: torch.export.ExportedProgram = program.run_decompositions({**theirs, **ours})
    return decomposed


@cache
def _upstream(opset: int) -> frozenset[Any]:
    """The operators that the exporter translates itself."""
    registry = ONNXRegistry.from_torchlib(opset_version=max(opset, 18))
    return frozenset(metas[0].fx_target for metas in registry.functions.values() if metas)


def require_convertible(program: torch.export.ExportedProgram, name: str) -> None:
    """Raise `ConvertError` for the first call that would not keep its meaning."""
    refusals = load_table().refusals
    for node in program_nodes(program):
        refusal = refusals.get(node.target)
        told = refusal(node) if refusal else None
        if told:
            raise ConvertError(name, f"{node.target} {told}{_place(node)}")


def _place(node: torch.fx.Node) -> str:
    """The module that calls and the line of its code, where they are known."""
    stack = node.meta.get("nn_module_stack") or {}
    modules = [path for path, _ in stack.values() if path]
    trace = (node.meta.get("stack_trace") or "").strip().splitlines()
    lines = [line.strip() for line in trace if line.strip().startswith("File ")]
    return "".join([f" in {modules[-1]}" if modules else "", f" ({lines[-1]})" if lines else ""])


def _cause(error: BaseException) -> str:
    """The reason of a refusal by one of our own translations, else the exporter's."""
    for cause in _causes(error):
        if isinstance(cause, ConvertError):
            return cause.reason
    return f"torch.onnx.export: {reason(error)}"


def _causes(error: BaseException | None) -> Iterable[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
