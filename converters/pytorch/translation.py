"""An ``ExportedProgram`` to an ONNX graph, by our own lowerings and torch's translations of its operators.

The steps are those of ``torch.onnx.export``, without what makes them slow there: docs/decisions/0022-speed.md.
"""

from __future__ import annotations

from collections.abc import Iterable

import onnx_ir as ir
import torch
from onnxscript import version_converter
from torch.onnx._internal.exporter import _core, _fx_passes

from assay.converters.exporter import ConvertError, require_opset
from assay.converters.pytorch.decomposition import decompose
from assay.converters.pytorch.empty_results import settle
from assay.converters.pytorch.empty_tensors import require_loadable
from assay.converters.pytorch.kernel_casts import cast_for_kernels
from assay.converters.pytorch.lowerings.registry import decompositions as own_decompositions
from assay.converters.pytorch.lowerings.registry import load_table, program_nodes
from assay.converters.pytorch.operator_registry import decompositions, translated, translations
from assay.converters.pytorch.optimization import optimize
from assay.converters.pytorch.type_promotion import promote
from assay.converters.pytorch.upstream import reason
from assay.converters.refusal import RefusedError

DEFAULT_OPSET = 20


def translate(program: torch.export.ExportedProgram, opset: int | None, name: str) -> ir.Model:
    """The graph of a program; ``name`` is what errors call the source. Raises `ConvertError`."""
    wanted = opset or DEFAULT_OPSET
    program = settle(program)
    require_convertible(program, name)
    try:
        prepared = prepare(program, wanted)
    except Exception as error:
        raise ConvertError(name, _cause(error, "torch.export")) from error
    require_convertible(prepared, name)
    try:
        model = _translated(prepared, wanted)
        version_converter.convert_version(model, wanted, fallback=True)
        optimize(model)
    except Exception as error:
        raise ConvertError(name, _cause(error, "torch.onnx")) from error
    require_opset(name, "assay.pytorch", model, wanted)
    cast_for_kernels(model, name)
    require_loadable(model, name)
    return model


def prepare(program: torch.export.ExportedProgram, opset: int) -> torch.export.ExportedProgram:
    """The program in operators that have a translation, with its casts written out and its assertions gone."""
    table = {**decompositions(opset), **own_decompositions(program)}
    # without this, torch takes a dynamic size for another one than 0 and 1
    with torch.fx.experimental._config.patch(backed_size_oblivious=True):  # type: ignore[attr-defined]
        decomposed = decompose(program, translated(opset), table)
        promote(decomposed.graph_module)
        _fx_passes.remove_assertion_nodes(decomposed.graph_module)
        _remove_checks(decomposed.graph_module)
    return decomposed


def _remove_checks(module: torch.fx.GraphModule) -> None:
    """Without the calls that raise where a matrix could not be factored: a model has no exceptions."""
    for node in list(module.graph.find_nodes(op="call_function", target=torch.ops.aten._linalg_check_errors.default)):
        module.graph.erase_node(node)


def _translated(program: torch.export.ExportedProgram, opset: int) -> ir.Model:
    return _core._exported_program_to_onnx_program(program, registry=translations(opset)).model


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


def _cause(error: BaseException, at_work: str) -> str:
    """The reason of a refusal by one of our own lowerings, else what the part of torch says that was at work."""
    for cause in _causes(error):
        if isinstance(cause, ConvertError | RefusedError):
            return cause.reason
    return f"{at_work}: {reason(error)}"


def _causes(error: BaseException | None) -> Iterable[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
