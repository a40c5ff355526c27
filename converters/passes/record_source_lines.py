"""Nodes keep the line of the model's code and the module path; the exporter's own long records go."""

from __future__ import annotations

import ast
import re

import onnx_ir as ir

from assay.converters.passes.context import PassContext

SOURCE_LINE, MODULE = "assay.source_line", "assay.module"
_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')
# whoever calls the model's code on our side is no line of it either
LIBRARIES = ("/site-packages/", "/dist-packages/", "/assay/converters/pytorch/")


def record_source_lines(model: ir.Model, _context: PassContext) -> None:
    """Replace ``pkg.torch.*`` metadata by ``assay.source_line`` (``file.py:12``) and ``assay.module`` (``layer1``)."""
    keep_lines_alone(model)
    if model.graph.doc_string and model.producer_name == "tf2onnx":
        model.graph.doc_string = None  # holds the path of a temporary folder or a function's counter


def keep_lines_alone(model: ir.Model) -> None:
    """Of each record of an exporter, keep the line of the model's code and the module path."""
    for graph in (model.graph, *(function.graph for function in model.functions.values())):
        for node in graph.all_nodes():
            _record(node)
            for value in node.outputs:
                _drop_exporter_records(value.metadata_props)
        for value in (*graph.inputs, *graph.initializers.values()):
            _drop_exporter_records(value.metadata_props)
    _drop_exporter_records(model.metadata_props)
    _drop_exporter_records(model.graph.metadata_props)


def _record(node: ir.Node) -> None:
    line = _users_line(node.metadata_props.get("pkg.torch.onnx.stack_trace", ""))
    module = _module_path(node.metadata_props.get("pkg.torch.onnx.name_scopes", ""))
    _drop_exporter_records(node.metadata_props)
    node.metadata_props.update({key: value for key, value in ((SOURCE_LINE, line), (MODULE, module)) if value})
    node.doc_string = None


def _users_line(trace: str) -> str | None:
    """The innermost frame that is not a library's, as ``file.py:12``; without its folder, for bundles travel."""
    frames = [m for m in _FRAME.finditer(trace) if not any(part in m["file"] for part in LIBRARIES)]
    return f"{frames[-1]['file'].rsplit('/', 1)[-1]}:{frames[-1]['line']}" if frames else None


def _module_path(scopes: str) -> str | None:
    """The deepest module of ``['', 'layer1', 'layer1.conv', 'conv2d']``, whose last entry is the operator."""
    try:
        parts = [part for part in ast.literal_eval(scopes)[:-1] if part]
    except (SyntaxError, ValueError):
        return None
    return str(parts[-1]) if parts else None


def _drop_exporter_records(properties: dict[str, str]) -> None:
    for key in [key for key in properties if key.startswith("pkg.") or key == "namespace"]:
        del properties[key]
