"""An operator that ONNX does not have ends the conversion: no file is written that no runtime loads."""

from __future__ import annotations

import onnx
import onnx_ir as ir

from assay.converters.exporter import ConvertError
from assay.converters.passes.context import PassContext

_STANDARD = {"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training"}


def refuse_unknown_operators(model: ir.Model, context: PassContext) -> None:
    """Raise `ConvertError` that lists every unknown operator with one of its nodes."""
    unknown: dict[str, str] = {}
    for node in model.graph.all_nodes():
        if node.domain in _STANDARD and not _exists(node, model) and node.op_identifier() not in model.functions:
            unknown.setdefault(node.op_type, node.name or "without a name")
    if unknown:
        listed = ", ".join(f"{op} (node {name})" for op, name in sorted(unknown.items()))
        raise ConvertError(context.source, f"the exporter wrote operators that ONNX does not have: {listed}")


def _exists(node: ir.Node, model: ir.Model) -> bool:
    domain = "" if node.domain == "ai.onnx" else node.domain
    version = model.opset_imports.get(domain) or node.version
    try:
        onnx.defs.get_schema(node.op_type, version, domain) if version else onnx.defs.get_schema(node.op_type, domain)
    except onnx.defs.SchemaError:
        return False
    return True
