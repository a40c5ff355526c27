"""Tiny ONNX models and the data they are judged on: a classifier, one that int8 ruins, and one that is slow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
from onnx import helper, numpy_helper, parser

from assay.converters.bundle import Bundle
from assay.converters.convert import convert
from assay.converters.files import write_text

FEATURES, CLASSES = 16, 4
HEADER = '<ir_version: 8, opset_import: ["" : 17]>'
RELU = "g (float[batch,6] x) => (float[batch,6] y) { y = Relu(x) }"
LOOP = """
g (float[batch,6] x) => (float[batch,6] y) <int64 trips = {2000}, bool go = {1}> {
    y = Loop(trips, go, x) <body = step (int64 i, bool on, float[batch,6] before)
                                     => (bool on_out, float[batch,6] after) {
        on_out = Identity(on)
        after = Relu(before)
    }>
}"""


def write(graph: str, path: Path) -> Path:
    """Write the model that the text describes."""
    path.write_bytes(parser.parse_model(f"{HEADER} {graph}").SerializeToString())
    return path


def weights(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The weights of the classifier, float32 [16,32] and [32,4]."""
    generator = np.random.default_rng(seed)
    shapes = (FEATURES, 32), (32, CLASSES)
    first, second = (generator.standard_normal(shape).astype(np.float32) for shape in shapes)
    return first, second


def classify(x: np.ndarray) -> np.ndarray:
    """The classes that the classifier gives, int64 [n]."""
    first, second = weights()
    return np.asarray((np.maximum(x @ first, 0) @ second).argmax(axis=1))


def classifier(path: Path) -> Path:
    """Two layers: x float32 [batch,16] -> logits float32 [batch,4]."""
    nodes = [
        helper.make_node("MatMul", ["x", "w1"], ["h"], name="first"),
        helper.make_node("Relu", ["h"], ["r"], name="relu"),
        helper.make_node("MatMul", ["r", "w2"], ["logits"], name="second"),
    ]
    return _save(path, nodes, dict(zip(("w1", "w2"), weights(), strict=True)))


def fragile(path: Path) -> Path:
    """One layer whose classes hang on features that int8 rounds away, beside one that is a thousand times as large."""
    weight = np.zeros((FEATURES, CLASSES), np.float32)
    weight[1 : CLASSES + 1] = np.eye(CLASSES)
    return _save(path, [helper.make_node("MatMul", ["x", "w"], ["logits"], name="only")], {"w": weight})


def fragile_samples(size: int = 200, seed: int = 1) -> dict[str, np.ndarray]:
    """Samples for `fragile` with labels."""
    x = np.random.default_rng(seed).standard_normal((size, FEATURES)).astype(np.float32)
    x[:, 0] *= 1000
    return {"x": x, "labels": x[:, 1 : CLASSES + 1].argmax(axis=1)}


def samples(size: int = 600, seed: int = 1) -> dict[str, np.ndarray]:
    """Samples for `classifier` that it tells apart clearly, with labels."""
    x = np.random.default_rng(seed).standard_normal((4 * size, FEATURES)).astype(np.float32)
    first, second = weights()
    logits = np.sort(np.maximum(x @ first, 0) @ second, axis=1)
    x = x[np.argsort(logits[:, -2] - logits[:, -1])[:size]]
    return {"x": x, "labels": classify(x)}


def save(path: Path, arrays: dict[str, np.ndarray], *names: str) -> Path:
    """Write an ``.npz`` of the arrays, or of those named."""
    np.savez(path, **{name: arrays[name] for name in names or arrays})  # type: ignore[arg-type]
    return path


def bundle(model: Path, folder: Path) -> Bundle:
    """The bundle of an ONNX file."""
    return convert(model, folder)


def manifest(folder: Path, **fields: Any) -> Path:
    """Write ``m.assay.yaml`` for ``m.onnx`` in the folder; fields replace or extend the usual ones."""
    import yaml

    content = {"assay": "manifest/v1", "name": "m", "source": "m.onnx", "latency": {"samples": 80}, **fields}
    path = folder / "m.assay.yaml"
    write_text(path, yaml.safe_dump(content, allow_unicode=True))
    return path


def change_a_weight(model: Path) -> None:
    """Change one weight of a saved model."""
    loaded = ir.load(model)
    value = next(iter(loaded.graph.initializers.values()))
    assert value.const_value is not None
    array = value.const_value.numpy().copy()
    array.flat[0] += 1
    value.const_value = ir.tensor(array, name=value.name)
    ir.save(loaded, model)


def _save(path: Path, nodes: list[Any], initializers: dict[str, np.ndarray]) -> Path:
    x, y = (helper.make_tensor_value_info(n, 1, ["batch", d]) for n, d in (("x", FEATURES), ("logits", CLASSES)))
    tensors = [numpy_helper.from_array(array, name) for name, array in initializers.items()]
    graph = helper.make_graph(nodes, "g", [x], [y], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path
