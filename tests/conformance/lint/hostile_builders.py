"""How to make what a stranger could send: each builder writes a folder, and gives the path to lint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
from lint_models import write_model

Build = Callable[[Path], Path]
Edit = Callable[[onnx.ModelProto], object]

DENSE = "g (float[batch,20] x) => (float[batch,20] y) { y = MatMul(x, w) }"
RELU = "g (float[batch,3] x) => (float[batch,3] y) { y = Relu(x) }"
BYTES = 1600  # of a weight of 20 x 20


def changed(edit: Edit, graph: str = RELU) -> Build:
    """A model that was changed after it was made."""
    return lambda folder: write_model(folder, graph, edit=edit)


def text(graph: str, opset: int = 18) -> Build:
    """The model of a graph's text."""
    return lambda folder: write_model(folder, graph, opset=opset)


def body(inputs: str, nodes: str) -> Build:
    return text(f"g ({inputs}) => (float y) {{ {nodes} }}")


def content(data: bytes, name: str = "model.onnx") -> Build:
    """These bytes under the name of a model."""

    def build(folder: Path) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return build
