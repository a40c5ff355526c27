"""``assay quantize`` from outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tiny_onnx
from command_line import assay, refusal

from assay.converters.bundle import open_bundle
from assay.specs.schemas import validate

STATIC = ("--method", "static-int8", "--calibration", "c.npz")
JUDGED = ("--evaluation", "e.npz", "--metric", "top1")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two bundles, `sturdy` and `fragile`, and the data for each; nobody writes there but under `out`."""
    folder = tmp_path_factory.mktemp("models")
    for name, make, samples in (
        ("sturdy", tiny_onnx.classifier, tiny_onnx.samples),
        ("fragile", tiny_onnx.fragile, tiny_onnx.fragile_samples),
    ):
        home = folder / name
        home.mkdir()
        tiny_onnx.bundle(make(folder / f"{name}.onnx"), home / "bundle")
        tiny_onnx.save(home / "e.npz", samples())
        tiny_onnx.save(home / "c.npz", samples(64, seed=2), "x")
        tiny_onnx.save(home / "unlabelled.npz", samples(), "x")
    return folder


@pytest.fixture
def sturdy(models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(models / "sturdy")
    return models / "sturdy"


def test_a_model_that_keeps_its_accuracy_passes(sturdy: Path, tmp_path: Path) -> None:
    ran = assay("quantize", "bundle", "-o", tmp_path / "int8", *STATIC, *JUDGED)
    assert (ran.status, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"wrote {tmp_path / 'int8'}\n")
    assert "static-int8" in ran.stdout
    assert max(map(len, ran.stdout.splitlines()[1:])) <= 80
    assert open_bundle(tmp_path / "int8").interface == open_bundle(sturdy / "bundle").interface


def test_a_model_that_loses_accuracy_is_written_and_fails(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(models / "fragile")
    ran = assay("quantize", "bundle", "-o", tmp_path / "int8", *STATIC, *JUDGED, "--json", "-")
    assert (ran.status, ran.json["stage"], ran.stderr) == (1, "accuracy", "")
    assert [finding["code"] for finding in ran.json["checks"][0]["findings"]] == ["AC001"]
    assert (tmp_path / "int8" / "model.onnx").is_file()


def test_the_limit_is_the_users(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(models / "fragile")
    assert assay("quantize", "bundle", "-o", tmp_path / "int8", *STATIC, *JUDGED, "--max-drop", "1").status == 0


@pytest.mark.usefixtures("sturdy")
def test_without_evaluation_data_the_accuracy_is_not_judged(tmp_path: Path) -> None:
    ran = assay("quantize", "bundle", "-o", tmp_path / "int8", "--method", "dynamic-int8", "--json", "-")
    assert (ran.status, ran.json["verdict"]) == (3, "inconclusive")
    (finding,) = ran.json["checks"][0]["findings"]
    assert finding["code"] == "DT001"
    assert "give --evaluation and --metric" in finding["message"]


@pytest.mark.usefixtures("sturdy")
def test_agreement_needs_no_labels_and_top1_does(tmp_path: Path) -> None:
    arguments = ("quantize", "bundle", "-o", tmp_path / "int8", *STATIC, "--evaluation", "unlabelled.npz")
    assert assay(*arguments, "--metric", "agreement", "--max-drop", "0.05").status == 0
    ran = assay(*arguments, "--metric", "top1", "--json", "-")
    assert (ran.status, ran.json["checks"][0]["findings"][0]["code"]) == (3, "AC002")


@pytest.mark.usefixtures("sturdy")
def test_json_in_a_file_is_a_valid_result(tmp_path: Path) -> None:
    assay("quantize", "bundle", "-o", tmp_path / "int8", *STATIC, *JUDGED, "--json", tmp_path / "r.json")
    document = json.loads((tmp_path / "r.json").read_text())
    validate("result", document)
    assert {file["name"] for file in document["model"]["files"]} == {"model.onnx", "interface.json"}


@pytest.mark.usefixtures("sturdy")
def test_a_provider_that_is_not_here_is_inconclusive(tmp_path: Path) -> None:
    ran = assay("quantize", "bundle", "-o", tmp_path / "int8", *STATIC, *JUDGED, "--provider", "qnn", "--json", "-")
    assert (ran.status, ran.json["checks"][0]["findings"][0]["code"]) == (3, "AC003")


USAGE = {
    "no method": ((), "Missing option '--method'"),
    "static without calibration": (("--method", "static-int8"), "static-int8 needs --calibration"),
    "evaluation without a metric": ((*STATIC, "--evaluation", "e.npz"), "need each other"),
    "a metric without evaluation": ((*STATIC, "--metric", "top1"), "need each other"),
    "no threshold": ((*STATIC, "--evaluation", "e.npz", "--metric", "threshold"), "needs --threshold"),
    "an unknown output": ((*STATIC, *JUDGED, "--output-name", "scores"), "there is no output 'scores'"),
}


@pytest.mark.parametrize(("options", "says"), USAGE.values(), ids=USAGE)
@pytest.mark.usefixtures("sturdy")
def test_bad_usage_is_status_2(options: tuple[str, ...], says: str, tmp_path: Path) -> None:
    ran = assay("quantize", "bundle", "-o", tmp_path / "int8", *options)
    assert (ran.status, ran.stdout) == (2, "")
    assert says in ran.stderr
    assert not (tmp_path / "int8").exists()


SENTENCES = {
    "a file for a bundle": (("e.npz", *STATIC), "is no bundle"),
    "data that are missing": (("bundle", "--method", "static-int8", "--calibration", "no.npz"), "data no.npz"),
    "the same data twice": (("bundle", *STATIC, "--evaluation", "c.npz", "--metric", "top1"), "should be apart"),
    "an unknown provider": (("bundle", *STATIC, "--provider", "abacus"), "abacus"),
}


@pytest.mark.parametrize(("arguments", "says"), SENTENCES.values(), ids=SENTENCES)
@pytest.mark.usefixtures("sturdy")
def test_what_can_not_be_judged_is_one_sentence(arguments: tuple[str, ...], says: str, tmp_path: Path) -> None:
    assert says in refusal("quantize", *arguments, "-o", tmp_path / "int8")
    assert not (tmp_path / "int8").exists()


def test_an_output_that_can_not_be_written_is_one_sentence(sturdy: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for output in (tmp_path / "file", tmp_path / "file" / "int8", sturdy):
        assert "can't be written" in refusal("quantize", "bundle", "-o", output, "--method", "dynamic-int8")


@pytest.mark.usefixtures("sturdy")
def test_the_float_bundle_is_not_replaced() -> None:
    assert "it is the float bundle" in refusal("quantize", "bundle", "-o", "bundle", "--method", "dynamic-int8")


def test_a_model_with_nothing_to_quantize_is_one_sentence(tmp_path: Path) -> None:
    tiny_onnx.bundle(tiny_onnx.write(tiny_onnx.RELU, tmp_path / "r.onnx"), tmp_path / "relu")
    said = refusal("quantize", tmp_path / "relu", "-o", tmp_path / "int8", "--method", "dynamic-int8")
    assert "holds nothing that dynamic-int8 quantizes" in said


def test_help_shows_examples() -> None:
    assert "Examples:\n    assay quantize" in assay("quantize", "--help").stdout
