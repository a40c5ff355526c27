"""Small models, written as ONNX text or protos to the file that the tests lint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnx.parser
from onnx import numpy_helper

from assay.conformance.lint import lint
from assay.conformance.result import Finding
from assay.specs.fields import missing_keys
from assay.specs.tasks import load_task

METADATA = {
    "assay.profile": "1.0",
    "assay.task": "generic",
    "assay.source.sha256": "0" * 64,
    "assay.exporter": "torch.onnx",
    "assay.source.framework": "pytorch",
}

Save = Callable[..., Path]
Edit = Callable[[onnx.ModelProto], object]


class Case(NamedTuple):
    """A rule, a graph that keeps it, and one that breaks it; options of `write_model` and of `lint`.

    Options for the graph that keeps the rule are those for the other, but for what ``kept_options`` says of them.
    """

    code: str
    kept: str | onnx.ModelProto
    broken: str | onnx.ModelProto
    options: Mapping[str, Any] = {}
    kept_options: Mapping[str, Any] = {}
    lint: Mapping[str, Any] = {}

    def judge_kept(self, folder: Path) -> list[Finding]:
        """What the linter finds in the graph that keeps the rule."""
        return lint(write_model(folder, self.kept, **{**self.options, **self.kept_options}), **self.lint)

    def judge_broken(self, folder: Path) -> list[Finding]:
        """What this rule finds in the graph that breaks it."""
        found = lint(write_model(folder, self.broken, **self.options), **self.lint)
        return [finding for finding in found if finding.code == self.code]


def write_model(
    folder: Path,
    graph: str | onnx.ModelProto,
    opset: int = 17,
    metadata: Mapping[str, str] = METADATA,
    imports: str = "",
    weights: Mapping[str, Any] | None = None,
    edit: Edit | None = None,
    files: Mapping[str, bytes] | None = None,
) -> Path:
    """Write a model, a proto or the text of a graph, to ``model.onnx``; metadata as the converters write it.

    ``weights`` become initializers, ``edit`` changes the proto at the end, ``files`` lie beside the model.
    """
    model = graph if isinstance(graph, onnx.ModelProto) else parse(graph, opset, imports)
    tensors = ((name, np.asarray(values)) for name, values in (weights or {}).items())
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in tensors)
    onnx.helper.set_model_props(model, dict(metadata))
    if edit is not None:
        edit(model)
    for name, content in (files or {}).items():
        (folder / name).write_bytes(content)
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def parse(graph: str, opset: int = 17, imports: str = "") -> onnx.ModelProto:
    """The model of a graph's text; ``imports`` are further opset imports."""
    return onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : {opset}{imports}]>\n{graph}')


def graph(inputs: str, outputs: str, body: str, weights: str = "") -> str:
    """The text of one graph."""
    return f"g ({inputs}) => ({outputs}) {f'<{weights}>' if weights else ''} {{ {body} }}"


def rows(body: str, weights: str = "") -> str:
    """A graph from rows of three floats to rows of three floats."""
    return graph("float[batch,3] x", "float[batch,3] y", body, weights)


def of_task(task: str) -> dict[str, Any]:
    """The options of a model of a task, which states all fields that the task asks for."""
    fields = dict.fromkeys(missing_keys(load_task(task), {}), '"stated"')
    return {"metadata": METADATA | fields | {"assay.task": task}}


def ramp(*shape: int, dtype: Any = np.float32) -> Any:
    """Different numbers, none of them 0, in a tensor of this shape."""
    return (np.arange(1, 1 + int(np.prod(shape))) / 7).astype(dtype).reshape(shape)
