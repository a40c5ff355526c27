"""``assay check`` of a model that fails: what it prints and writes, and that its exit status is the model's."""

from __future__ import annotations

from pathlib import Path

from judging import Command
from tiny_onnx import change_a_weight, classifier


def test_a_failure_is_placed_mended_and_reproduced(assay: Command, tmp_path: Path) -> None:
    healthy, wrong = classifier(tmp_path / "healthy.onnx"), classifier(tmp_path / "wrong.onnx")
    change_a_weight(wrong)
    mended, case = tmp_path / "mended.onnx", tmp_path / "case"
    ran = assay("check", wrong, "--reference", healthy, "--repair", mended, "--repro", case)
    text = " ".join(ran.stdout.split())
    assert (ran.status, ran.stderr) == (1, "")
    assert "PA026: MatMul first is the first node that differs from the source" in text
    assert "PA027: weight w1 is off by" in text
    assert "the repaired model, which passes, is" in text
    assert "the minimal case is in" in text
    assert assay("check", mended, "--reference", healthy).status == 0
    assert (case / "run.py").is_file()


def test_a_folder_that_is_in_the_way_is_said_at_once(assay: Command, tmp_path: Path) -> None:
    healthy = classifier(tmp_path / "healthy.onnx")
    ran = assay("check", healthy, "--reference", healthy, "--repro", tmp_path)
    assert ran.status == 2
    assert "it is not empty" in ran.stderr


def test_the_exit_status_is_explained(assay: Command) -> None:
    assert "whether or not --repair mends it" in " ".join(assay("check", "--help").stdout.split())
