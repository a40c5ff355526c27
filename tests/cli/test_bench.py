"""``assay bench`` from outside."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_onnx
from command_line import assay, refusal

from assay.conformance.bench import short_names
from assay.specs.schemas import validate

FEW = ("--samples", "20")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a folder, é")
    tiny_onnx.write(tiny_onnx.RELU, folder / "fast.onnx")
    tiny_onnx.write(tiny_onnx.LOOP, folder / "slow.onnx")
    tiny_onnx.classifier(folder / "other.onnx")
    double = tiny_onnx.RELU.replace("float[", "double[")
    tiny_onnx.write(double, folder / "double.onnx")
    tiny_onnx.write("g (float[n] x) => (float[n] y) { y = Relu(x) }", folder / "rank.onnx")
    tiny_onnx.bundle(folder / "fast.onnx", folder / "bundle")
    return folder


@pytest.fixture(autouse=True)
def here(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(models)


def test_a_model_is_timed_and_its_nodes_are_placed() -> None:
    ran = assay("bench", "bundle", *FEW)
    assert (ran.status, ran.stderr) == (0, "")
    assert all(word in ran.stdout for word in ("median", "p95", "CPU 1", "bundle passes every check"))
    assert max(map(len, ran.stdout.splitlines())) <= 80


def test_models_side_by_side_are_told_by_name_and_ratio() -> None:
    ran = assay("bench", "bundle", "--against", "slow.onnx", "--against", "fast.onnx", *FEW, "--json", "-")
    (check,) = ran.json["checks"]
    assert ran.status == 0
    assert [row["name"] for row in check["measurements"]["models"]] == ["bundle", "slow.onnx", "fast.onnx"]
    slow, fast = check["measurements"]["ratios"]
    assert slow["low"] > 5 > fast["high"]
    assert set(ran.json["reference"]["models"]) == {"bundle", "slow.onnx", "fast.onnx"}
    validate("result", ran.json)


def test_a_slow_model_fails_its_limit_and_a_fast_one_passes() -> None:
    limits = ("--samples", "80", "--max-median", "0.1", "--max-p95", "0.1")
    ran = assay("bench", "slow.onnx", *limits)
    assert (ran.status, "LT001" in ran.stdout) == (1, True)
    assert assay("bench", "fast.onnx", "--samples", "80", "--max-median", "50", "--max-p95", "50").status == 0


def test_a_limit_beyond_few_samples_is_inconclusive() -> None:
    assert assay("bench", "fast.onnx", *FEW, "--max-p95", "50").status == 3


def test_a_comparison_that_lacks_a_model_is_no_pass(tmp_path: Path) -> None:
    broken = "g (float[batch,6] x) => (float[batch,6] y) <int64[2] s = {7, 6}> { y = Reshape(x, s) }"
    tiny_onnx.write(broken, tmp_path / "broken.onnx")
    ran = assay("bench", "fast.onnx", "--against", tmp_path / "broken.onnx", *FEW, "--json", "-")
    assert (ran.status, ran.json["checks"][0]["findings"][0]["code"]) == (3, "LT002")
    assert assay("bench", tmp_path / "broken.onnx", "--against", "fast.onnx", *FEW).status == 1


def test_shapes_may_be_given() -> None:
    ran = assay("bench", "rank.onnx", "--input", "x=float32[n=77]", *FEW, "--json", "-")
    assert ran.json["checks"][0]["measurements"]["inputs"] == {"x": [77]}


def test_each_provider_has_a_check() -> None:
    ran = assay("bench", "fast.onnx", "--provider", "cpu", "--provider", "qnn", *FEW, "--json", "-")
    assert [(check["provider"], check["verdict"]) for check in ran.json["checks"]] == [
        ("cpu", "pass"),
        ("qnn", "inconclusive"),
    ]
    assert ran.status == 3


SENTENCES = {
    "no model": (("no.onnx",), "no.onnx does not exist"),
    "no model beside it": (("fast.onnx", "--against", "no.onnx"), "no.onnx does not exist"),
    "other inputs": (
        ("fast.onnx", "--against", "double.onnx"),
        "double.onnx takes x (float64), but should take x (float32) as fast.onnx does",
    ),
    "an input that it lacks": (("fast.onnx", "--input", "z=float32[2]"), "has no input named z"),
    "an unknown provider": (("fast.onnx", "--provider", "abacus"), "abacus"),
    "JSON under no folder": (("fast.onnx", "--json", "no/where.json"), "can't be written"),
}


@pytest.mark.parametrize(("arguments", "says"), SENTENCES.values(), ids=SENTENCES)
def test_what_can_not_be_timed_is_one_sentence(arguments: tuple[str, ...], says: str) -> None:
    assert says in refusal("bench", *arguments)


def test_few_samples_are_a_usage_error() -> None:
    assert assay("bench", "fast.onnx", "--samples", "19").status == 2


def test_names_are_as_short_as_tells_them_apart() -> None:
    paths = ("a/x/model.onnx", "a/y/model.onnx", "b/y/model.onnx")
    assert short_names([Path(path) for path in paths[:2]]) == ["x", "y"]
    assert short_names([Path(path) for path in paths]) == ["a/x", "a/y", "b/y"]
    assert short_names([Path("a/m.onnx"), Path("a/m.onnx")]) == ["m.onnx (1)", "m.onnx (2)"]


def test_help_shows_examples() -> None:
    assert "Examples:\n    assay bench" in assay("bench", "--help").stdout
