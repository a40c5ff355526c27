"""Where a finding is: in the graph, in a file of the bundle, and in the source that the node came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnx_ir as ir

from assay.conformance.lint.registry import FilePart, Subject

SOURCE_LINE = "assay.source_line"
MODULE = "assay.module"
SETTING = "assay.source."  # before the name of an attribute: what the source's layer was told of it


def location_of(subject: Subject) -> dict[str, Any]:
    """The location as a result's finding carries it."""
    if isinstance(subject, FilePart):
        return {"file": subject.file} | ({"key": subject.key} if subject.key else {})
    return _node_location(subject) if isinstance(subject, ir.Node) else _value_location(subject)


def location_text(location: Mapping[str, Any]) -> str:
    """The location as text, such as ``node 'Reshape_3' (Reshape) at vit.py:12``."""
    if "file" in location:
        text = " ".join(str(location[key]) for key in ("file", "key") if key in location)
    else:
        kind = next((kind for kind in ("input", "output", "value", "node") if kind in location), "model")
        text = f"{kind} {location[kind]!r}" if kind in location else "model"
        text += f" ({location['operator']})" if kind == "node" else ""
    return text + (f" at {location['source_line']}" if "source_line" in location else "")


def subject_name(subject: Subject) -> str:
    """The name of a node or value, or of a node's first named output; of a file's part, its key or the file."""
    if isinstance(subject, FilePart):
        return subject.key or subject.file
    outputs = subject.outputs if isinstance(subject, ir.Node) else ()
    return _text(subject.name or next((output.name for output in outputs if output.name), ""))


def source_line(location: Mapping[str, Any]) -> tuple[str, int] | None:
    """The file and line of the model's code, where the node's metadata tell them."""
    file, _, line = str(location.get("source_line", "")).rpartition(":")
    return (file, int(line)) if file and line.isascii() and line.isdigit() and int(line) > 0 else None


def _node_location(node: ir.Node) -> dict[str, Any]:
    operator = f"{node.domain}.{node.op_type}" if node.domain else _text(node.op_type)
    return {"node": subject_name(node), "operator": operator} | _origin(node)


def _value_location(value: ir.Value) -> dict[str, Any]:
    kind = "output" if value.is_graph_output() else "input" if value.is_graph_input() else "value"
    producer = value.producer()
    return {kind: _text(value.name or "")} | (_origin(producer) if producer is not None else {})


def _origin(node: ir.Node) -> dict[str, Any]:
    keys = {"source_line": SOURCE_LINE, "module": MODULE}
    return {key: _text(node.metadata_props[prop]) for key, prop in keys.items() if prop in node.metadata_props}


def _text(name: str | bytes) -> str:
    """The reader leaves bytes that are no UTF-8 as bytes."""
    return name if isinstance(name, str) else name.decode(errors="backslashreplace")
