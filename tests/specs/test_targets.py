"""Targets: their limits hang together, have reasons, and are what the runtime at hand does."""

from __future__ import annotations

from collections.abc import Iterator

import onnxruntime
import pytest
from onnx import helper

from assay.specs.data import PROFILE, load_yaml
from assay.specs.operators import load_operator_classes
from assay.specs.targets import load_target, target_names

TARGETS = [load_target(name) for name in target_names()]
IR_OF_OPSET = {row[2]: row[1] for row in helper.VERSION_TABLE}
SAFETY = load_target("safety")


def test_the_five_targets_are_there() -> None:
    assert {"server-cpu", "server-gpu", "edge", "web", "safety"} <= set(target_names())


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
class TestTarget:
    """One file of ``targets/``."""

    def test_every_limit_has_a_reason(self, target: object) -> None:
        data = load_yaml(PROFILE / "targets" / f"{target.name}.yaml")  # type: ignore[attr-defined]
        assert set(target.reasons) == set(data) - {"description"}  # type: ignore[attr-defined]

    def test_its_opsets_are_of_its_domains_and_in_order(self, target: object) -> None:
        oldest, newest = target.oldest_opset, target.opset  # type: ignore[attr-defined]
        assert {"ai.onnx"} <= set(oldest) <= set(newest) <= target.domains  # type: ignore[attr-defined]
        assert all(oldest[domain] <= newest[domain] for domain in oldest)

    def test_its_newest_opset_fits_into_its_ir_version(self, target: object) -> None:
        assert IR_OF_OPSET[target.opset["ai.onnx"]] <= target.ir_version  # type: ignore[attr-defined]

    def test_it_takes_the_types_that_every_model_has(self, target: object) -> None:
        assert {"float32", "int64", "bool"} <= target.dtypes  # type: ignore[attr-defined]


def test_safety_forbids_what_has_no_bound() -> None:
    assert {"NonZero", "Unique", "Compress", "NonMaxSuppression", "Loop", "RandomNormal"} <= set(SAFETY.forbidden)
    assert SAFETY.forbidden["NonZero"] == "data-dependent-shape"
    assert SAFETY.constant_operands["Reshape"] == ("shape",)
    assert SAFETY.dynamic_axes == frozenset()
    assert not SAFETY.functions
    assert set(SAFETY.forbidden.values()) == set(load_operator_classes())


def test_other_targets_leave_shapes_free() -> None:
    edge = load_target("edge")
    assert (edge.dynamic_axes, edge.functions, dict(edge.constant_operands)) == (None, True, {})


def test_every_class_is_forbidden_somewhere() -> None:
    assert {name for target in TARGETS for name in target.forbidden.values()} == set(load_operator_classes())


@pytest.mark.skipif(not onnxruntime.__version__.startswith("1.32."), reason="measured with ONNX Runtime 1.32")
class TestMeasured:
    """The limits of server-cpu are those of the runtime that it names."""

    def test_it_loads_the_newest_and_no_newer(self) -> None:
        cpu = load_target("server-cpu")
        ir_version, opset = cpu.ir_version, cpu.opset["ai.onnx"]
        assert list(_loads((ir_version, opset), (ir_version + 1, opset), (ir_version, opset + 1))) == [
            True,
            False,
            False,
        ]


def _loads(*versions: tuple[int, int]) -> Iterator[bool]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    for ir_version, opset in versions:
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            [helper.make_node("Relu", ["x"], ["y"])], "g", [value("x", 1, [1])], [value("y", 1, [1])]
        )
        model = helper.make_model(graph, ir_version=ir_version, opset_imports=[helper.make_opsetid("", opset)])
        try:
            onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        except onnxruntime.capi.onnxruntime_pybind11_state.Fail:
            yield False
        else:
            yield True
