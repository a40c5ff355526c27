"""``assay convert --explain``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from assay.cli import cli

MODELS = """
import tensorflow as tf

SPEC = [tf.TensorSpec([None, 3], tf.float32)]

@tf.function(input_signature=SPEC, autograph=False)
def covered(x):
    return tf.nn.relu(x)

@tf.function(input_signature=SPEC, autograph=False)
def refused(x):
    return tf.math.zeta(x, x)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "explained_models.py").write_text(MODELS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_covered_model_passes_and_nothing_is_written(folder: Path) -> None:
    before = sorted(folder.iterdir())
    result = CliRunner().invoke(cli, ["convert", "explained_models:covered", "--explain"])
    assert (result.exit_code, "every operator is covered" in result.output) == (0, True), result.output
    assert [path for path in sorted(folder.iterdir()) if path.name != "__pycache__"] == before


def test_a_refusal_is_told_with_its_line_and_status_two(folder: Path) -> None:
    result = CliRunner().invoke(cli, ["convert", "explained_models:refused", "--explain", "--json", "told.json"])
    assert result.exit_code == 2
    assert "Zeta has no handler" in result.output
    assert "explained_models.py:12" in result.output
    told = json.loads((folder / "told.json").read_text())
    assert (told["covered"], told["operators"][0]["operator"]) == (False, "Zeta")


@pytest.mark.usefixtures("folder")
def test_without_output_a_conversion_is_a_wrong_call() -> None:
    result = CliRunner().invoke(cli, ["convert", "explained_models:covered"])
    assert (result.exit_code, "there is no --output" in result.output) == (2, True)
