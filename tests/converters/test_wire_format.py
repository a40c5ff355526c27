"""Counting fields in the wire format of protobuf."""

from __future__ import annotations

import onnx
import pytest
from onnx import TensorProto

from assay.converters.wire_format import has_more_fields


def model(nodes: int, raw: bytes = b"") -> bytes:
    """A model of 3 fields, of 2 a node (itself and its operator), and of 2 in its initializer where it has one."""
    made = onnx.ModelProto(ir_version=8, graph=onnx.GraphProto(name="g"))
    for _ in range(nodes):
        made.graph.node.add(op_type="Relu")
    if raw:
        made.graph.initializer.append(TensorProto(raw_data=raw))
    return made.SerializeToString()


@pytest.mark.parametrize("nodes", [0, 1, 10])
def test_fields_are_counted_at_every_depth(nodes: int) -> None:
    count = 3 + 2 * nodes
    assert not has_more_fields(model(nodes), onnx.ModelProto, count)
    assert has_more_fields(model(nodes), onnx.ModelProto, count - 1)


def test_the_elements_of_weights_are_no_fields() -> None:
    assert not has_more_fields(model(0, bytes(1 << 20)), onnx.ModelProto, 5)


def test_long_text_counts_by_its_length() -> None:
    long = onnx.ModelProto(producer_name="x" * 25600).SerializeToString()
    assert has_more_fields(long, onnx.ModelProto, 100)
    assert not has_more_fields(long, onnx.ModelProto, 101)


@pytest.mark.parametrize("data", [b"\x3a\xff", b"\xff" * 99, b"\x0b\x0b", b"\x3a\x7f\x00", b"\x09\x00"])
def test_broken_bytes_hold_no_more_fields(data: bytes) -> None:
    assert not has_more_fields(data, onnx.ModelProto, 5)
