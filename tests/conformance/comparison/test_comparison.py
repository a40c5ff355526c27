"""Models side by side: verdicts, reasons, names, pairs, and what is told of graphs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch_models

import assay
from assay import Comparison, Verdict
from assay.conformance.comparison import CompareError
from assay.conformance.comparison.comparison import ComparedModel
from assay.converters.exporter import UnknownExporterError
from assay.converters.files import UnreadableError
from assay.converters.sources.base import SourceError
from assay.specs.schemas import validate

QUICK: dict[str, Any] = {"latency": False, "pairs": False}


def by_name(comparison: Comparison) -> dict[str, ComparedModel]:
    return {model.name: model for model in comparison.models}


def verdicts(comparison: Comparison) -> dict[str, Verdict | None]:
    return {model.name: model.verdict for model in comparison.models}


def onnx(folder: Path, *names: str) -> list[Path]:
    return [folder / f"{name}.onnx" for name in names]


def test_a_wrong_model_among_healthy_ones_fails(models: Path) -> None:
    comparison = assay.compare(onnx(models, "right", "same", "wrong"), **QUICK)
    assert verdicts(comparison) == {"right.onnx": None, "same.onnx": Verdict.PASS, "wrong.onnx": Verdict.FAIL}
    assert (comparison.verdict, comparison.exit_status) == (Verdict.FAIL, 1)
    parity = by_name(comparison)["wrong.onnx"].parity
    assert parity is not None
    assert parity.worst_ratio is not None
    assert parity.worst_ratio > 20
    assert [(output.name, output.verdict, output.code) for output in parity.outputs] == [("y", Verdict.FAIL, "PA001")]


def test_a_model_that_fails_gets_its_first_difference(models: Path) -> None:
    comparison = assay.compare(onnx(models, "right", "same", "wrong"), **QUICK)
    rows = by_name(comparison)
    told = {
        name: [f.message for f in row.parity.findings if f.code == "PA026"] for name, row in rows.items() if row.parity
    }
    assert told["same.onnx"] == []
    (sentence,) = told["wrong.onnx"]
    assert sentence.startswith("Add ")
    assert sentence.endswith(" is the first node that differs from the source")


def test_healthy_models_pass(models: Path) -> None:
    comparison = assay.compare(onnx(models, "right", "same"), **QUICK)
    assert (comparison.verdict, comparison.exit_status) == (Verdict.PASS, 0)


@pytest.mark.parametrize(
    ("name", "code"),
    [("frozen", "PA006"), ("renamed", "PA012"), ("dropped", "PA002"), ("double", "PA012"), ("unknown", "PA006")],
)
def test_another_interface_or_no_runtime_fails(models: Path, name: str, code: str) -> None:
    comparison = assay.compare(onnx(models, "right", name), **QUICK)
    parity = by_name(comparison)[f"{name}.onnx"].parity
    assert parity is not None
    assert parity.verdict is Verdict.FAIL
    assert code in {finding.code for finding in parity.findings}


def test_what_can_not_be_opened_is_a_row_with_its_reason(models: Path) -> None:
    comparison = assay.compare([*onnx(models, "right", "truncated", "same"), models / "none.onnx"], **QUICK)
    rows = by_name(comparison)
    assert "can't be decoded" in (rows["truncated.onnx"].reason or "")
    assert rows["none.onnx"].reason == "does not exist"
    assert rows["same.onnx"].verdict is Verdict.PASS
    assert (comparison.verdict, comparison.exit_status) == (Verdict.INCONCLUSIVE, 3)


def test_nothing_that_could_be_compared_has_a_status_of_its_own(models: Path) -> None:
    comparison = assay.compare(onnx(models, "right", "truncated"), **QUICK)
    assert (comparison.verdict, comparison.exit_status) == (Verdict.INCONCLUSIVE, 2)


def test_a_reference_beside_the_models_judges_and_is_shown(models: Path) -> None:
    comparison = assay.compare(onnx(models, "same", "wrong"), models / "right.onnx", **QUICK)
    assert [(model.name, model.role) for model in comparison.models] == [
        ("right.onnx", "reference"),
        ("same.onnx", "candidate"),
        ("wrong.onnx", "candidate"),
    ]
    assert comparison.reference["name"] == "right.onnx"


def test_a_reference_among_the_models_stands_there_once(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(models)
    comparison = assay.compare(["same.onnx", "right.onnx"], models / "right.onnx", **QUICK)
    assert [(model.name, model.role) for model in comparison.models] == [
        ("right.onnx", "reference"),
        ("same.onnx", "candidate"),
    ]


def test_names_that_clash_are_told_apart(models: Path, tmp_path: Path) -> None:
    for folder, name in (("a", "right"), ("b", "wrong"), ("c", "same")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "model.onnx").write_bytes((models / f"{name}.onnx").read_bytes())
    paths = [tmp_path / folder / "model.onnx" for folder in "abc"]
    comparison = assay.compare(paths[:2], paths[2], **QUICK)
    assert verdicts(comparison) == {"c": None, "a": Verdict.PASS, "b": Verdict.FAIL}


def test_the_same_file_twice_has_a_number(models: Path) -> None:
    comparison = assay.compare(onnx(models, "right", "right", "wrong"), **QUICK)
    assert verdicts(comparison) == {"right.onnx (1)": None, "right.onnx (2)": Verdict.PASS, "wrong.onnx": Verdict.FAIL}


def test_a_mapping_gives_the_names(models: Path) -> None:
    ours, theirs = onnx(models, "right", "same")
    assert verdicts(assay.compare({"ours": ours, "theirs": theirs}, **QUICK)) == {"ours": None, "theirs": Verdict.PASS}


def test_a_model_that_has_the_name_of_an_exporter_is_told_apart(models: Path) -> None:
    given = {"torch.onnx.torchscript": models / "right.onnx", "ours": torch_relu()}
    comparison = assay.compare(given, exporters=["torch.onnx.torchscript"], inputs={"x": "float32[batch,6]"}, **QUICK)
    assert verdicts(comparison) == {
        "torch.onnx.torchscript (1)": Verdict.PASS,
        "torch.onnx.torchscript (2)": Verdict.PASS,
    }


def test_every_two_models_are_judged_by_each_other(models: Path) -> None:
    comparison = assay.compare(onnx(models, "right", "same", "wrong", "unknown"), latency=False)
    judged = [(pair.parity.reference, pair.model, pair.parity.verdict) for pair in comparison.pairs]
    assert judged == [("same.onnx", "wrong.onnx", Verdict.FAIL)]


def test_a_live_module_is_the_reference_of_what_is_converted_from_it() -> None:
    module = torch_models.encoder()
    inputs = {"x": "float32[batch,6]"}
    comparison = assay.compare([module], exporters=["torch.onnx.torchscript"], inputs=inputs, **QUICK)
    (model,) = comparison.models
    assert (model.name, model.verdict, model.source) == ("torch.onnx.torchscript", Verdict.PASS, "Encoder")
    assert model.conversion is not None
    assert (model.conversion.exporter, model.conversion.peak_bytes) == ("torch.onnx.torchscript", None)


def test_latency_is_told_as_a_multiple_of_the_first_that_runs(models: Path) -> None:
    comparison = assay.compare(onnx(models, "right", "unknown", "same"), samples=20, pairs=False)
    assert comparison.latency is not None
    measured = comparison.latency.measurements
    assert [row["name"] for row in measured["models"]] == ["right.onnx", "same.onnx"]
    assert [ratio["name"] for ratio in measured["ratios"]] == ["same.onnx"]


def test_a_base_that_can_not_be_timed_gives_way_to_the_next(models: Path) -> None:
    candidates = onnx(models, "renamed", "same")
    comparison = assay.compare(candidates, torch_relu(), inputs={"x": "float32[batch,6]"}, samples=20, pairs=False)
    assert comparison.latency is not None
    assert [row["name"] for row in comparison.latency.measurements["models"]] == ["same.onnx"]
    assert [finding.location["model"] for finding in comparison.latency.findings] == ["renamed.onnx"]


def test_the_graph_is_counted_and_its_interface_compared(models: Path) -> None:
    comparison = assay.compare(onnx(models, "right", "same", "frozen"), **QUICK)
    rows = by_name(comparison)
    same, frozen = rows["same.onnx"].graph, rows["frozen.onnx"].graph
    assert same is not None
    assert frozen is not None
    assert (same.nodes, same.operators, same.parameters, same.opsets) == (
        3,
        {"Relu": 1, "Identity": 1, "Add": 1},
        1,
        {"ai.onnx": 17},
    )
    assert (same.bytes, same.differences) == ((models / "same.onnx").stat().st_size, ())
    assert frozen.dynamic_axes == ()
    assert frozen.differences == (
        "input x is float32[2,6], but float32[batch,6] in right.onnx",
        "output y is float32[2,6], but float32[batch,6] in right.onnx",
    )


def test_the_schema_holds_whatever_happened(models: Path) -> None:
    names = ("right", "same", "wrong", "truncated", "unknown", "dropped")
    comparison = assay.compare(onnx(models, *names), samples=20, pairs=True)
    document = json.loads(comparison.to_json())
    validate("comparison", document)
    assert Comparison.from_json(comparison.to_json()) == comparison


@pytest.mark.parametrize("names", [(), ("right",), ("none",), ("none", "neither")])
def test_too_little_to_compare_is_refused(models: Path, names: tuple[str, ...]) -> None:
    with pytest.raises((CompareError, SourceError), match=r"nothing to compare|all there is|does not exist"):
        assay.compare(onnx(models, *names), **QUICK)


def test_a_reference_that_can_not_be_opened_ends_the_comparison(models: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.onnx does not exist"):
        assay.compare(onnx(models, "right"), models / "none.onnx", **QUICK)
    with pytest.raises(UnreadableError, match="can't be decoded"):
        assay.compare(onnx(models, "truncated", "right"), **QUICK)


def test_an_unknown_exporter_is_refused_before_any_work(models: Path) -> None:
    with pytest.raises(UnknownExporterError, match=r"there is no exporter 'magic', but there are assay\.pytorch"):
        assay.compare(onnx(models, "right", "same"), exporters=["magic"])


def torch_relu() -> Any:
    """The source of the model that is right."""
    import torch

    class Right(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"y": torch.relu(x) + 1}

    return Right()
