"""Split before opset 18, and attributes that an opset does not have."""

from __future__ import annotations

import onnx.parser
import onnx_ir as ir
import pytest

from assay.converters.exporter import ConvertError
from assay.converters.passes.context import PassContext
from assay.converters.passes.refuse_unknown_attributes import refuse_unknown_attributes
from assay.converters.passes.write_split_sizes import write_split_sizes
from assay.specs.interface import Interface

CONTEXT = PassContext("model", Interface(()), (), {})


def split(size: str, opset: int, parts: int = 3) -> ir.Model:
    """A Split into as many parts of an axis of this size."""
    names = ", ".join(f"y{part}" for part in range(parts))
    outputs = ", ".join(f"float[batch, n{part}] y{part}" for part in range(parts))
    body = f"{names} = Split<axis=1, num_outputs={parts}>(x)"
    text = f'<ir_version: 8, opset_import: ["" : {opset}]> g (float[batch,{size}] x) => ({outputs}) {{ {body} }}'
    return ir.from_proto(onnx.parser.parse_model(text))


def test_a_split_is_told_its_sizes() -> None:
    model = split("8", 17)
    write_split_sizes(model, CONTEXT)
    refuse_unknown_attributes(model, CONTEXT)
    (weights,) = model.graph.initializers.values()
    assert weights.const_value is not None
    assert weights.const_value.numpy().tolist() == [3, 3, 2]


def test_a_split_of_an_open_size_is_refused() -> None:
    model = split("time", 17)
    write_split_sizes(model, CONTEXT)
    with pytest.raises(ConvertError, match="attribute num_outputs, which it does not have in opset 17"):
        refuse_unknown_attributes(model, CONTEXT)


def test_a_split_that_may_count_stays_as_it_is() -> None:
    model = split("time", 18)
    write_split_sizes(model, CONTEXT)
    refuse_unknown_attributes(model, CONTEXT)
    assert not model.graph.initializers
