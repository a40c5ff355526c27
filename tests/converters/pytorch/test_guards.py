"""What torch decides by a size becomes a condition or an error; no size gives a wrong answer without a word."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import guarded_models as models
import onnx
import pytest
import torch

from assay import AssayError, Verdict, check, convert
from assay.converters.bundle import Bundle
from assay.converters.pytorch.guards import LOGGER, listening
from assay.converters.pytorch.tracing import trace
from assay.converters.sources import open_source

X = {"x": "float32[batch,time]"}
IMAGES = {"x": "float32[batch,3,height>=6=9,width>=6=9]"}


def converted(model: torch.nn.Module, folder: Path, inputs: dict[str, str] | None = None, **more: Any) -> Bundle:
    """The bundle of a model with the inputs ``x[batch, time]``, or others."""
    return convert(model, folder / "bundle", inputs=inputs or X, **more)


def stated(bundle: Bundle) -> list[str]:
    """The conditions of a bundle, which its metadata states too."""
    texts = [str(condition) for condition in bundle.interface.conditions]
    metadata = {entry.key: entry.value for entry in onnx.load(bundle.model).metadata_props}
    assert json.loads(metadata.get("assay.conditions", "[]")) == texts
    return texts


@pytest.mark.parametrize(
    ("model", "inputs", "conditions", "axes"),
    [
        (models.Branch, X, ["time >= 11"], "time>=11"),
        (models.Remainder, {"x": "float32[batch,time=16]"}, ["time % 4 == 0"], "time>=4=16"),
        (models.Remainder, X, ["time % 4 != 0"], "time"),
        (models.Single, X, ["time >= 2"], "time>=2"),
        (models.Table, X, ["time <= 32"], "time<=32"),
    ],
)
def test_a_decision_by_a_size_becomes_a_condition(
    model: type[torch.nn.Module], inputs: dict[str, str], conditions: list[str], axes: str, tmp_path: Path
) -> None:
    bundle = converted(model(), tmp_path, inputs)
    assert stated(bundle) == conditions
    assert str(bundle.interface.inputs[0]) == f"float32[batch,{axes}]"


def test_a_decision_by_which_nothing_hangs_is_lifted(tmp_path: Path) -> None:
    bundle = converted(models.Product(), tmp_path, {"x": "float32[batch,time,8]"})
    assert stated(bundle) == []


@pytest.mark.parametrize(
    ("model", "inputs", "told"),
    [
        (models.Loop, {"x": "float32[batch,time,3]"}, r"axis time is fixed to 17 .* at guarded_models.py:\d+"),
        (models.Chunks, {"x": "float32[batch,time,3]"}, r"axis time is held to 17 to 20 .* at guarded_models.py:\d+"),
        (models.WholeNumbers, {"x": "float32[batch,3,4]"}, r"axis batch is fixed to 2 .* at guarded_models.py:\d+"),
        (models.Values, X, r"at guarded_models.py:\d+ decides by the values of a tensor"),
    ],
)
def test_an_axis_that_the_code_pins_is_an_error_that_names_the_line(
    model: type[torch.nn.Module], inputs: dict[str, str], told: str, tmp_path: Path
) -> None:
    with pytest.raises(AssayError, match=told):
        converted(model(), tmp_path, inputs)
    assert not (tmp_path / "bundle").exists()


def test_a_pinned_axis_is_accepted_by_its_size_or_its_bounds(tmp_path: Path) -> None:
    assert stated(converted(models.Loop(), tmp_path, {"x": "float32[batch,17,3]"})) == []
    bundle = converted(models.Chunks(), tmp_path, {"x": "float32[batch,time>=17<=20,3]"})
    assert str(bundle.interface.inputs[0]) == "float32[batch,time>=17<=20,3]"


@pytest.mark.parametrize(("model", "axis"), [(models.Table, "time<=64"), (models.Branch, "time>=4")])
def test_a_bound_that_the_code_does_not_reach_is_an_error(
    model: type[torch.nn.Module], axis: str, tmp_path: Path
) -> None:
    with pytest.raises(AssayError, match="axis time is bounded by the model's code"):
        converted(model(), tmp_path, {"x": f"float32[batch,{axis}]"})


def test_pooling_to_a_size_is_right_at_every_size_or_refused(tmp_path: Path) -> None:
    refused = None
    try:
        bundle = converted(models.AdaptivePool(), tmp_path, IMAGES)
    except AssayError as error:
        refused = str(error)
    if refused is None:
        assert check(bundle, models.AdaptivePool(), inputs=IMAGES, level="quick").verdict is Verdict.PASS
    else:
        assert "axis height is fixed to 9" in refused


def test_parity_keeps_within_the_conditions_and_tells_what_lies_beyond(tmp_path: Path) -> None:
    model, inputs = models.Remainder(), {"x": "float32[batch,time=16]"}
    (result,) = check(converted(model, tmp_path, inputs), model, inputs=inputs).checks
    probes = {probe["name"]: probe for probe in result.measurements["probes"]}
    outside = [name for name in probes if name.startswith("outside")]
    assert (result.verdict, result.measurements["conditions"]) == (Verdict.PASS, ["time % 4 == 0"])
    assert outside == ["outside time % 4 == 0 (time=15)"]
    inside = [probe["shapes"]["x"][1] for name, probe in probes.items() if name not in outside]
    assert len(set(inside)) > 3
    assert {size % 4 for size in inside} == {0}
    assert {finding.severity for finding in result.findings} == {"info"}


def test_a_model_that_claims_no_condition_fails_where_it_does_not_hold(tmp_path: Path) -> None:
    model, inputs = models.Remainder(), {"x": "float32[batch,time=16]"}
    bundle = converted(model, tmp_path, inputs)
    content = json.loads((bundle.path / "interface.json").read_text())
    del content["conditions"]
    (bundle.path / "interface.json").write_text(json.dumps(content))
    assert check(bundle, model, inputs=inputs, level="quick").verdict is Verdict.FAIL


def test_a_bundle_that_holds_at_less_than_is_asked_for_fails(tmp_path: Path) -> None:
    bundle = converted(models.Table(), tmp_path)
    result = check(bundle, models.Table(), inputs={"x": "float32[batch,time<=64]"}, level="quick")
    assert result.verdict is Verdict.FAIL
    assert any("holds to 32 only" in finding.message for finding in result.checks[0].findings)


def test_split_is_told_its_sizes_before_opset_18(tmp_path: Path) -> None:
    model = onnx.load(converted(models.Halves(), tmp_path, {"x": "float32[batch,6]"}, opset=17).model)
    onnx.checker.check_model(model, full_check=True)
    (node,) = (node for node in model.graph.node if node.op_type == "Split")
    assert (len(node.input), [attribute.name for attribute in node.attribute]) == (2, ["axis"])


def test_guards_are_heard_whatever_logging_is_told() -> None:
    """The seam: torch tells of each guard by a log message whose second argument is the guard."""
    logger = logging.getLogger(LOGGER)
    before = (logger.level, logger.propagate, list(logger.handlers), logging.root.manager.disable)
    logging.disable(logging.CRITICAL)
    try:
        with listening() as guards:
            trace(open_source(models.Single(), X))
    finally:
        logging.disable(before[3])
    assert (logger.level, logger.propagate, list(logger.handlers), logging.root.manager.disable) == before
    assert [(guard.text.split("(")[0], guard.of_operator) for guard in guards.heard][:1] == [("Ne", False)]
    assert (guards.heard[0].line or "").startswith("guarded_models.py:")


def test_a_guard_of_an_operator_is_told_from_one_of_the_model() -> None:
    with listening() as guards:
        trace(open_source(models.Product(), {"x": "float32[batch,time,8]"}))
    assert {guard.of_operator for guard in guards.heard} == {True}


def test_what_a_program_holds_on_stands_in_its_ranges_and_asserts() -> None:
    """The seam: ranges in ``range_constraints``, everything else asserted by ``aten._assert_scalar``."""
    ranged = trace(open_source(models.Branch(), X))
    assert 11 in {int(bounds.lower) for bounds in ranged.range_constraints.values()}
    asserted = trace(open_source(models.Remainder(), X))
    assert any(node.target is torch.ops.aten._assert_scalar.default for node in asserted.graph.nodes)
