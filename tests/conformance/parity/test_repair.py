"""What is restored from a fresh conversion: the file's versions, its edge, its weights; the check proves it all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import onnx_ir as ir
import pytest
from onnx import TensorProto, helper
from tiny_onnx import classifier

from assay import Verdict
from assay.conformance.parity import check
from assay.conformance.parity.diagnoses import CannotMend
from assay.conformance.parity.diagnoses.declarations import Redeclare, SetVersions, put_in_order
from assay.conformance.parity.diagnoses.restorations import unreadable_weights
from assay.converters.files import read_model

Damage = Callable[[onnx.ModelProto], None]


def unknown_format(model: onnx.ModelProto) -> None:
    model.ir_version = 99


def unstated_operators(model: onnx.ModelProto) -> None:
    del model.opset_import[:]


def other_operators(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 99


def renamed_input(model: onnx.ModelProto) -> None:
    rename(model, model.graph.input[0].name, "images")


def renamed_output(model: onnx.ModelProto) -> None:
    rename(model, model.graph.output[-1].name, "out_1")


def weight_as_input(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    model.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims)))
    del model.graph.initializer[0]


def double_input(model: onnx.ModelProto) -> None:
    value = model.graph.input[0]
    value.type.tensor_type.elem_type = TensorProto.DOUBLE
    for node in model.graph.node:
        for place, name in enumerate(node.input):
            if name == value.name:
                node.input[place] = "cast"
    model.graph.node.insert(0, helper.make_node("Cast", [value.name], ["cast"], "cast", to=TensorProto.FLOAT))


def cut_off(model: onnx.ModelProto) -> None:
    tensor = max(model.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    tensor.raw_data = tensor.raw_data[: len(tensor.raw_data) // 2]


def missing_file(model: onnx.ModelProto) -> None:
    tensor = max(model.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    size = len(tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "gone.bin"), ("offset", "0"), ("length", str(size))):
        tensor.external_data.add(key=key, value=value)


def rename(model: onnx.ModelProto, old: str, new: str) -> None:
    for names in (names for node in model.graph.node for names in (node.input, node.output)):
        for place, name in enumerate(names):
            if name == old:
                names[place] = new
    for value in (*model.graph.input, *model.graph.output):
        if value.name == old:
            value.name = new


DAMAGES = {
    unknown_format: "the file states IR version 99",
    unstated_operators: "the file states",
    other_operators: "the file states",
    renamed_input: "inputs are declared as images",
    renamed_output: "outputs are declared as",
    weight_as_input: "inputs are declared as",
    double_input: "inputs are declared as",
    cut_off: "can't be read",
    missing_file: "can't be read",
}


@pytest.fixture
def healthy(tmp_path: Path) -> Path:
    return classifier(tmp_path / "healthy.onnx")


@pytest.mark.parametrize(("damage", "told"), DAMAGES.items(), ids=[damage.__name__ for damage in DAMAGES])
def test_damage_to_the_file_or_its_edge_is_repaired_and_proved(
    damage: Damage, told: str, healthy: Path, tmp_path: Path
) -> None:
    model = onnx.load(healthy)
    damage(model)
    wrong, mended = tmp_path / "wrong.onnx", tmp_path / "mended.onnx"
    wrong.write_bytes(model.SerializeToString())
    result = check(wrong, healthy, repair=mended)
    assert result.verdict is Verdict.FAIL
    (sentence,) = result.checks[0].measurements["repair"]["mended"]
    assert told in sentence
    assert check(mended, healthy).verdict is Verdict.PASS
    names = [[value.name for value in values] for values in edges(onnx.load(mended))]
    assert names == [[value.name for value in values] for values in edges(onnx.load(healthy))]


def edges(model: onnx.ModelProto) -> tuple[list[onnx.ValueInfoProto], list[onnx.ValueInfoProto]]:
    return list(model.graph.input), list(model.graph.output)


def test_a_used_input_that_the_source_does_not_have_is_not_thrown_away(healthy: Path) -> None:
    own = read_model(healthy)
    node = next(iter(own.graph))
    extra = [ir.Value(name=name, type=ir.TensorType(ir.DataType.FLOAT)) for name in ("a", "b")]
    own.graph.inputs.extend(extra)
    node.replace_input_with(0, extra[0])
    with pytest.raises(CannotMend, match="input a is used, but the source has none of that name"):
        Redeclare()(own, read_model(healthy))


def test_the_order_is_the_healthy_models_and_strangers_come_last(healthy: Path) -> None:
    own, whole = read_model(healthy), read_model(healthy)
    own.graph.inputs.insert(0, ir.Value(name="stranger"))
    put_in_order(own, whole)
    assert [value.name for value in own.graph.inputs] == [*(v.name for v in whole.graph.inputs), "stranger"]


def test_a_domain_that_the_candidate_alone_uses_keeps_its_version(healthy: Path) -> None:
    own = read_model(healthy)
    own.graph.opset_imports["com.example"] = 3
    SetVersions()(own, read_model(healthy))
    assert own.opset_imports["com.example"] == 3


def test_weights_that_can_be_read_are_not_in_question(healthy: Path) -> None:
    assert unreadable_weights(read_model(healthy), read_model(healthy)) is None
