"""The registry against the data, and the driver on what can't be judged."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
from lint_models import Save, parse, write_model
from onnx import TensorProto, helper

from assay.conformance.lint import driver, lint
from assay.conformance.lint.candidate import StaticCandidate
from assay.conformance.lint.registry import CHECKS, Violation, rule
from assay.specs.errors import AssayError
from assay.specs.rules import load_rules

CONFORMANCE = Path(lint.__code__.co_filename).parents[1]
EMITTED = re.compile(r'"((?:IO|SH|OP|WT|MD|QT|SE|PA|AC|LT|DT)\d{3})"')
RELU = "g (float[batch,3] x) => (float[batch,3] y) { y = Relu(x) }"


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Write a model to a folder of the test's own."""
    return partial(write_model, tmp_path)


def test_every_check_of_the_linter_has_a_rule_of_a_model() -> None:
    levels = {code: rule.level for code, rule in load_rules().items()}
    assert {code for code, level in levels.items() if level != "certified"} == set(CHECKS) | {driver.UNRUN}


def test_every_code_that_the_harness_gives_is_a_rule_and_every_rule_is_given() -> None:
    files = [path for path in CONFORMANCE.rglob("*.py") if "reports" not in path.relative_to(CONFORMANCE).parts]
    assert {code for path in files for code in EMITTED.findall(path.read_text(encoding="utf-8"))} == set(load_rules())


def test_a_second_check_of_a_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="rule IO001 has the check name_is_portable already"):
        rule("IO001")(CHECKS["IO003"])


def test_rules_that_can_not_run_are_one_error(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(candidate: StaticCandidate) -> Iterator[Violation]:
        raise ZeroDivisionError(candidate.path.name)

    monkeypatch.setitem(CHECKS, "IO001", crash)
    monkeypatch.setitem(CHECKS, "IO003", crash)
    (finding,) = lint(save(RELU))
    assert (finding.code, finding.severity, finding.evidence) == ("SE000", "error", {"rules": ["IO001", "IO003"]})
    assert finding.message.startswith("IO001, IO003 could not run (ZeroDivisionError: model.onnx), but should")


def test_selecting_and_ignoring_takes_prefixes() -> None:
    assert driver.chosen(("IO", "SH001"), ("IO",)) == ["SH001"]
    assert driver.chosen(("OP01",), ("OP013", "OP014")) == [f"OP0{n}" for n in (10, 11, 12, 15, 16, 17, 18, 19)]
    assert not any(code.startswith("IO") for code in driver.chosen((), ("IO",)))


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x08", b"PK\x03\x04" * 9, b"\xff" * 64])
def test_a_file_that_is_no_model_raises_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(AssayError) as caught:
        lint(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_an_empty_folder_raise(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="does not exist"):
        lint(tmp_path / "nothing.onnx")
    with pytest.raises(AssayError, match=r"holds no model\.onnx"):
        lint(tmp_path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_model_raises_or_is_judged(save: Save, share: float) -> None:
    path = save(RELU)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with suppress(AssayError):
        lint(path)


def _sequence_of_maps() -> onnx.ModelProto:
    kind = helper.make_sequence_type_proto(
        helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, None))
    )
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3])
    made = helper.make_graph(
        [helper.make_node("ZipMap", ["x"], ["y"], domain="ai.onnx.ml")], "g", [x], [helper.make_value_info("y", kind)]
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("ai.onnx.ml", 3)], ir_version=8)


def test_a_type_that_can_not_be_read_raises_one_sentence(save: Save) -> None:
    with pytest.raises(AssayError, match="Map types are not supported"):
        lint(save(_sequence_of_maps()))


def _cyclic() -> onnx.ModelProto:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3]) for name in ("x", "y")]
    nodes = [helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Relu", ["a"], ["b"])]
    made = helper.make_graph([*nodes, helper.make_node("Relu", ["b"], ["y"])], "g", ends[:1], ends[1:])
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _short_weight() -> onnx.ModelProto:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3]) for name in ("x", "y")]
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3, 3], raw_data=np.zeros(4, np.float32).tobytes())
    made = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", ends[:1], ends[1:], [tensor])
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _no_imports() -> onnx.ModelProto:
    model = parse(RELU)
    del model.opset_import[:]
    return model


@pytest.mark.parametrize("build", [_cyclic, _short_weight, _no_imports])
def test_a_malformed_graph_is_never_a_pass(save: Save, build: Callable[[], onnx.ModelProto]) -> None:
    with suppress(AssayError):
        assert "error" in {finding.severity for finding in lint(save(build()))}


def test_an_empty_graph_is_judged(save: Save) -> None:
    model = helper.make_model(helper.make_graph([], "g", [], []), ir_version=8)
    assert lint(save(model)) == []


def test_the_level_chooses_rules_and_a_selected_rule_runs_at_any() -> None:
    default = driver.chosen((), ())
    assert {load_rules()[code].level for code in default} == {"core", "quantized"}
    assert "OP016" not in default
    assert "OP016" in driver.chosen((), (), ("core", "portable"))
    assert driver.chosen(("OP016",), ()) == ["OP016"]
    assert driver.chosen(("QT",), (), ("core",)) == []
