"""What each pass makes of a raw graph."""

from __future__ import annotations

import math

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from onnx import parser
from onnx.reference import ReferenceEvaluator

from assay.converters.exporter import ConvertError
from assay.converters.passes import run_passes
from assay.converters.passes.context import PassContext
from assay.converters.passes.lower_erfc import lower_erfc
from assay.converters.passes.name_dynamic_axes import name_dynamic_axes
from assay.converters.passes.name_inputs_and_outputs import name_inputs_and_outputs
from assay.converters.passes.record_source_lines import record_source_lines
from assay.converters.passes.refuse_unknown_operators import refuse_unknown_operators
from assay.converters.passes.remove_unused_nodes import remove_unused_nodes
from assay.converters.passes.stamp_metadata import stamp_metadata
from assay.specs.interface import Interface, parse_specs


def model(graph: str, opset: int = 18) -> ir.Model:
    """The model that the text describes."""
    return ir.from_proto(parser.parse_model(f'<ir_version: 8, opset_import: ["" : {opset}]> {graph}'))


def context(inputs: dict[str, str], outputs: dict[str, str], raw: tuple[str, ...]) -> PassContext:
    """What the source says of itself, and the raw names of its inputs."""
    return PassContext("source", Interface(parse_specs(inputs), parse_specs(outputs)), raw, {"assay.profile": "1.0"})


def operators(of: ir.Model) -> list[str]:
    """The operators of the graph, in order."""
    return [node.op_type for node in of.graph]


ROW = {"x": "float32[batch,2]"}
OUT = {"y": "float32[batch,2]"}
NOTHING = context({}, {}, ())


def names(values: list[ir.Value]) -> list[str | None]:
    return [value.name for value in values]


class TestNames:
    """`name_inputs_and_outputs`."""

    def test_raw_names_give_way_to_the_interface(self) -> None:
        raw = model("g (float[n,2] arg0) => (float[n,2] Identity) { y = Relu(arg0) Identity = Tanh(y) }")
        name_inputs_and_outputs(raw, context(ROW, OUT, ("arg0",)))
        assert (names(list(raw.graph.inputs)), names(list(raw.graph.outputs))) == (["x"], ["y"])
        onnx.checker.check_model(ir.to_proto(raw))

    def test_the_order_becomes_the_interfaces_and_a_lost_input_comes_back(self) -> None:
        raw = model("g (float[n,2] b, float[n,2] a) => (float[n,2] y) { y = Sub(a, b) }")
        inputs = {"first": "float32[batch,2]", "lost": "int64[batch]", "second": "float32[batch,2]"}
        name_inputs_and_outputs(raw, context(inputs, OUT, ("a", "gone", "b")))
        assert names(list(raw.graph.inputs)) == ["first", "lost", "second"]
        assert raw.graph.inputs[1].dtype == ir.DataType.INT64

    @pytest.mark.parametrize("graph", ["{ y = Relu(x) z = Tanh(y) }", "{ y = Relu(x) z = Identity(x) }"])
    def test_an_output_that_is_an_input_or_another_output_gets_a_value_of_its_own(self, graph: str) -> None:
        raw = model(f"g (float[n,2] x) => (float[n,2] y, float[n,2] z) {graph}")
        raw.graph.outputs[1] = raw.graph.outputs[0] if "Tanh" in graph else raw.graph.inputs[0]
        name_inputs_and_outputs(raw, context(ROW, {"a": "float32[batch,2]", "b": "float32[batch,2]"}, ("x",)))
        remove_unused_nodes(raw, NOTHING)
        assert names(list(raw.graph.outputs)) == ["a", "b"]
        assert operators(raw)[-1] == "Identity"
        onnx.checker.check_model(ir.to_proto(raw))

    def test_a_dropped_output_ends_the_conversion(self) -> None:
        raw = model("g (float[n,2] x) => (float[n,2] y) { y = Relu(x) }")
        with pytest.raises(ConvertError, match="wrote 1 outputs, but the source has 2"):
            name_inputs_and_outputs(raw, context(ROW, OUT | {"z": "float32[batch,2]"}, ("x",)))

    def test_an_input_that_the_source_does_not_have_ends_the_conversion(self) -> None:
        raw = model("g (float[n,2] x, float[n,2] w) => (float[n,2] y) { y = Add(x, w) }")
        with pytest.raises(ConvertError, match="added the inputs w"):
            name_inputs_and_outputs(raw, context(ROW, OUT, ("x",)))


class TestAxes:
    """`name_dynamic_axes`."""

    def test_names_reach_outputs_and_what_lies_between(self) -> None:
        raw = model("g (float[s0,2] x) => (float[s0,2] y) { z = Relu(x) y = Tanh(z) }")
        name_dynamic_axes(raw, context(ROW, OUT, ("x",)))
        shapes = [str(value.shape) for value in (raw.graph.inputs[0], raw.graph[0].outputs[0], raw.graph.outputs[0])]
        assert shapes == ["[batch,2]"] * 3

    def test_a_frozen_axis_stays_visible(self) -> None:
        raw = model("g (float[s0,2] x) => (float[4,2] y) <int64[2] s = {4,2}> { y = Reshape(x, s) }")
        name_dynamic_axes(raw, context(ROW, OUT, ("x",)))
        assert str(raw.graph.outputs[0].shape) == "[4,2]"


class TestErfc:
    """`lower_erfc`."""

    @pytest.mark.parametrize("dtype", ["float", "double"])
    def test_it_becomes_what_a_runtime_knows(self, dtype: str) -> None:
        raw = model(f"g ({dtype}[n] x) => ({dtype}[n] y) {{ y = Erfc(x) }}")
        lower_erfc(raw, NOTHING)
        assert operators(raw) == ["Constant", "Erf", "Sub"]
        x = np.linspace(-3, 3, 25).astype(np.float32 if dtype == "float" else np.float64)
        (y,) = np.asarray(ReferenceEvaluator(ir.to_proto(raw)).run(None, {"x": x}))
        assert y.dtype == x.dtype
        assert np.allclose(y, [math.erfc(value) for value in x], atol=1e-6)


class TestUnknownOperators:
    """`refuse_unknown_operators`."""

    @pytest.mark.parametrize(("operator", "opset"), [("Erfc", 18), ("Gelu", 18), ("Expm1", 22)])
    def test_an_operator_that_the_opset_lacks_ends_the_conversion(self, operator: str, opset: int) -> None:
        raw = model(f"g (float[n] x) => (float[n] y) {{ y = {operator}(x) }}", opset)
        with pytest.raises(ConvertError, match=f"operators that ONNX does not have: {operator}"):
            refuse_unknown_operators(raw, NOTHING)

    def test_it_is_found_inside_a_branch(self) -> None:
        branch = "b () => (float[n] {}) {{ {} = {}(x) }}"
        branches = f"then_branch = {branch.format('p', 'p', 'Relu')}, else_branch = {branch.format('q', 'q', 'Erfc')}"
        raw = model(f"g (float[n] x, bool c) => (float[n] y) {{ y = If(c) <{branches}> }}")
        with pytest.raises(ConvertError, match="Erfc"):
            refuse_unknown_operators(raw, NOTHING)

    def test_known_ones_pass(self) -> None:
        refuse_unknown_operators(model("g (float[n] x) => (float[n] y) { y = Gelu(x) }", 20), NOTHING)


def test_unused_nodes_and_weights_go_and_inputs_stay() -> None:
    raw = model("g (float[2] x, float[2] u) => (float[2] y) <float[2] w = {1,2}> { y = Relu(x) z = Add(u, w) }")
    remove_unused_nodes(raw, NOTHING)
    assert (operators(raw), names(list(raw.graph.inputs)), list(raw.graph.initializers)) == (["Relu"], ["x", "u"], [])


def test_an_exporters_records_become_ours() -> None:
    raw = model("g (float[2] x) => (float[2] y) { y = Relu(x) }")
    frames = [("/venv/site-packages/torch/nn.py", 9), ("/home/me/net.py", 12), ("/x/site-packages/t.py", 3)]
    trace = "\n".join(f'File "{file}", line {line}' for file, line in frames)
    raw.graph[0].metadata_props.update(
        {"pkg.torch.onnx.stack_trace": trace, "pkg.torch.onnx.name_scopes": "['', 'layer1', 'layer1.act', 'relu']"}
    )
    record_source_lines(raw, NOTHING)
    assert raw.graph[0].metadata_props == {"assay.source_line": "net.py:12", "assay.module": "layer1.act"}


def test_stamps_come_in_one_order_and_an_authors_own_stay() -> None:
    raw = model("g (float[2] x) => (float[2] y) { y = Relu(x) }")
    raw.metadata_props.update({"licence": "MIT", "author": "me"})
    stamp_metadata(raw, context(ROW, OUT, ("x",)))
    assert list(raw.metadata_props) == ["assay.profile", "assay.task", "author", "licence"]


def test_all_passes_give_a_graph_in_the_profile() -> None:
    raw = model("g (float[s0,2] arg0) => (float[s0,2] out) { a = Erfc(arg0) out = Tanh(a) dead = Relu(arg0) }")
    run_passes(raw, context(ROW, OUT, ("arg0",)))
    proto = ir.to_proto(raw)
    onnx.checker.check_model(proto, full_check=True)
    assert "Relu" not in operators(raw)
