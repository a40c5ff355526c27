"""Models written with their weights inside, without a copy of all of them."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest

from assay.converters.inline_writer import write_inline

BYTES = 1 << 24


def model(*tensors: ir.TensorProtocol) -> ir.Model:
    values = []
    for index, tensor in enumerate(tensors):
        value = ir.Value(name=f"w{index}", const_value=tensor, shape=ir.Shape(tensor.shape.numpy()))
        value.dtype = tensor.dtype
        values.append(value)
    graph = ir.Graph([], [], nodes=[], initializers=values, opset_imports={"": 20}, name="g")
    return ir.Model(graph, ir_version=9, metadata_props={"b": "2", "a": "1"})


def weights() -> list[ir.TensorProtocol]:
    random = np.random.default_rng(0)
    large = random.standard_normal((300, 500)).astype(np.float32)
    narrow = ir.Tensor(random.integers(0, 15, (1000, 400), np.uint8), dtype=ir.DataType.UINT4)
    half = random.standard_normal((500, 100)).astype(np.float16)
    return [
        ir.tensor(large),
        ir.tensor(large.T),
        ir.tensor(np.arange(5)),
        narrow,
        ir.tensor(half),
        ir.tensor(["a", "é"]),
    ]


def test_what_is_written_is_the_model(tmp_path: Path) -> None:
    given = model(*weights())
    write_inline(given, tmp_path / "m.onnx")
    read, expected = onnx.load(tmp_path / "m.onnx"), ir.to_proto(given)
    onnx.checker.check_model(read)
    for written in (read, expected):
        tensors = sorted(written.graph.initializer, key=lambda tensor: tensor.name)
        del written.graph.initializer[:]
        written.graph.initializer.extend(tensors)
    assert read.SerializeToString(deterministic=True) == expected.SerializeToString(deterministic=True)


def test_the_model_is_as_it_was(tmp_path: Path) -> None:
    tensors = weights()
    given = model(*tensors)
    write_inline(given, tmp_path / "m.onnx")
    assert [value.const_value for value in given.graph.initializers.values()] == tensors


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_inline(model(*weights()), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_failure_leaves_the_model_as_it_was(tmp_path: Path) -> None:
    tensors = weights()
    given = model(*tensors)
    with pytest.raises(OSError, match="No such file"):
        write_inline(given, tmp_path / "nowhere" / "m.onnx")
    assert [value.const_value for value in given.graph.initializers.values()] == tensors


def test_weights_are_not_copied(tmp_path: Path) -> None:
    given = model(*[ir.tensor(np.zeros(BYTES, np.uint8)) for _ in range(4)])
    tracemalloc.start()
    try:
        write_inline(given, tmp_path / "m.onnx")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < BYTES / 4
