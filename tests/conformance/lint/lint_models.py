"""Small models, written as ONNX text or protos to the file that the tests lint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import onnx
import onnx.parser

METADATA = {"assay.profile": "1.0", "assay.task": "generic", "assay.source.sha256": "0" * 64}

Save = Callable[..., Path]


def write_model(
    folder: Path,
    graph: str | onnx.ModelProto,
    opset: int = 17,
    metadata: Mapping[str, str] = METADATA,
    imports: str = "",
) -> Path:
    """Write a model, a proto or the text of a graph, to ``model.onnx``; metadata as the converters write it."""
    model = graph if isinstance(graph, onnx.ModelProto) else parse(graph, opset, imports)
    onnx.helper.set_model_props(model, dict(metadata))
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def parse(graph: str, opset: int = 17, imports: str = "") -> onnx.ModelProto:
    """The model of a graph's text; ``imports`` are further opset imports."""
    return onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : {opset}{imports}]>\n{graph}')
