"""The weights of every kind of source are found in what is converted of it, and a change of one shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from assay import convert
from assay.conformance.weight_audit import audit
from assay.converters.sources import open_source

SHAPES = {"x": "float32[batch,16]"}


def torch_module(_folder: Path) -> Any:
    import torch

    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(16, 24), torch.nn.ReLU(), torch.nn.Linear(24, 8)).eval()


def exported_program(folder: Path) -> Any:
    import torch

    return torch.export.export(torch_module(folder), (torch.zeros(2, 16),))


def torchscript(folder: Path) -> Any:
    import torch

    return torch.jit.script(torch_module(folder))


def frozen_torchscript(folder: Path) -> Any:
    import torch

    path = folder / "frozen.pt"
    torch.jit.freeze(torchscript(folder)).save(str(path))
    return path


def keras_model(_folder: Path) -> Any:
    import keras

    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(24, activation="relu", name="hidden"), keras.layers.Dense(8, name="head")]
    return keras.Sequential([keras.Input((16,), name="x"), *layers])


def saved_model(folder: Path) -> Path:
    keras_model(folder).export(folder / "saved", verbose=False)
    return folder / "saved"


def graph_def(folder: Path) -> Path:
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(tf.float32, [None, 16], name="x")
        kernel = tf.constant(np.random.default_rng(0).standard_normal((16, 24)).astype(np.float32), name="kernel")
        tf.identity(tf.tanh(tf.matmul(x, kernel)), name="y")
    (folder / "graph.pb").write_bytes(graph.as_graph_def().SerializeToString())
    return folder / "graph.pb"


def onnx_file(folder: Path) -> Path:
    bundle = convert(torch_module(folder), folder / "source", inputs=given("torch_module"))
    return bundle.model


KINDS: tuple[Callable[[Path], Any], ...] = (
    *(torch_module, exported_program, torchscript, frozen_torchscript, keras_model, saved_model, graph_def, onnx_file),
)


def given(kind: str) -> dict[str, str] | None:
    return {"input": SHAPES["x"]} if kind in ("torch_module", "torchscript") else None


def changed(model: Path, target: Path) -> str:
    """One element of the largest weight is another; returns the weight's name."""
    proto = onnx.load(model)
    named = [(tensor.name, tensor) for tensor in proto.graph.initializer]
    named += [(node.output[0], node.attribute[0].t) for node in proto.graph.node if node.op_type == "Constant"]
    name, largest = max(named, key=lambda pair: int(np.prod(pair[1].dims)))
    array = numpy_helper.to_array(largest).copy()
    array.flat[5] += 1.0
    largest.CopyFrom(numpy_helper.from_array(array, largest.name))
    onnx.save(proto, target)
    return str(name)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_weights_of_a_source_are_found_and_a_changed_one_shows(kind: Callable[[Path], Any], tmp_path: Path) -> None:
    reference = kind(tmp_path)
    inputs = given(kind.__name__) or (SHAPES_OF_FROZEN if kind is frozen_torchscript else None)
    bundle = convert(reference, tmp_path / "bundle", inputs=inputs)
    source = open_source(reference, inputs)
    healthy = audit(source, bundle.model)
    assert healthy.equal > 0
    assert (healthy.unmatched, healthy.differences) == (0, ())
    name = changed(bundle.model, tmp_path / "changed.onnx")
    (difference,) = audit(source, tmp_path / "changed.onnx").differences
    assert difference.constant == name
    assert difference.words.startswith("differs in 1 of ")


SHAPES_OF_FROZEN = {"input": SHAPES["x"]}
