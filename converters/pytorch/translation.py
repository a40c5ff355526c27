"""An ``ExportedProgram`` to an ONNX graph, by torch's translations of its operators.

The steps are those of ``torch.onnx.export``, without what makes them slow there: docs/decisions/0022-speed.md.
"""

from __future__ import annotations

import onnx_ir as ir
import torch
from onnxscript import version_converter
from torch.onnx._internal.exporter import _core, _fx_passes

from assay.converters.exporter import ConvertError
from assay.converters.pytorch.decomposition import decompose
from assay.converters.pytorch.operator_registry import decompositions, translated, translations
from assay.converters.pytorch.optimization import optimize
from assay.converters.pytorch.type_promotion import promote
from assay.converters.pytorch.upstream import reason

DEFAULT_OPSET = 20


def translate(program: torch.export.ExportedProgram, opset: int | None, name: str) -> ir.Model:
    """The graph of a program; ``name`` is what errors call the source. Raises `ConvertError`."""
    wanted = opset or DEFAULT_OPSET
    try:
        model = _translated(prepare(program, wanted), wanted)
        version_converter.convert_version(model, wanted, fallback=True)
        optimize(model)
    except Exception as error:
        raise ConvertError(name, f"torch.onnx: {reason(error)}") from error
    return model


def prepare(program: torch.export.ExportedProgram, opset: int) -> torch.export.ExportedProgram:
    """The program in operators that have a translation, with its casts written out and its assertions gone."""
    # without this, torch takes a dynamic size for another one than 0 and 1
    with torch.fx.experimental._config.patch(backed_size_oblivious=True):  # type: ignore[attr-defined]
        decomposed = decompose(program, translated(opset), decompositions(opset))
        promote(decomposed.graph_module)
        _fx_passes.remove_assertion_nodes(decomposed.graph_module)
    return decomposed


def _translated(program: torch.export.ExportedProgram, opset: int) -> ir.Model:
    return _core._exported_program_to_onnx_program(program, registry=translations(opset)).model
