"""A node that its opset does not know in this form ends the conversion: exporters lower an opset without looking."""

from __future__ import annotations

from collections.abc import Iterator

import onnx
import onnx_ir as ir

from assay.converters.exporter import ConvertError
from assay.converters.passes.context import PassContext

_STANDARD = {"": "", "ai.onnx": "", "ai.onnx.ml": "ai.onnx.ml"}


def refuse_unknown_attributes(model: ir.Model, context: PassContext) -> None:
    """Raise `ConvertError` where a node has an attribute or an input that its operator lacks in the opset."""
    faults = dict.fromkeys(fault for node in model.graph.all_nodes() for fault in _faults(node, model))
    if faults:
        advice = "choose a higher --opset or another --exporter"
        raise ConvertError(context.source, f"the exporter wrote {'; '.join(faults)}; {advice}")


def _faults(node: ir.Node, model: ir.Model) -> Iterator[str]:
    domain = _STANDARD.get(node.domain)
    version = model.opset_imports.get(domain or "") if domain is not None else None
    if domain is None or version is None or node.op_identifier() in model.functions:
        return
    try:
        schema = onnx.defs.get_schema(node.op_type, version, domain)
    except onnx.defs.SchemaError:
        return  # refused as an unknown operator
    where = f"{node.op_type} (node {node.name or 'without a name'})"
    for name in sorted(set(node.attributes) - set(schema.attributes)):
        yield f"{where} with the attribute {name}, which it does not have in opset {version}"
    if len(node.inputs) > schema.max_input:
        yield f"{where} with {len(node.inputs)} inputs, but it takes {schema.max_input} at most in opset {version}"
