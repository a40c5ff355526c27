"""A SavedModel folder, by its serving signature."""

from __future__ import annotations

from pathlib import Path

import keras_models
import pytest
import tensorflow as tf
from judging import Faithful, described

from assay import AssayError
from assay.converters.sources import open_source


def saved(folder: Path, *names: str) -> Path:
    module = keras_models.Exportable()
    tf.saved_model.save(module, str(folder), signatures=dict.fromkeys(names, module.traced))
    return folder


def test_the_serving_signature_is_the_source(tmp_path: Path, faithful: Faithful) -> None:
    bundle = faithful(saved(tmp_path / "saved", "serving_default"))
    assert described(bundle) == ({"x": "float32[batch,6]"}, {"score": "float32[batch,3]"})


def test_what_keras_exports_is_one(tmp_path: Path, faithful: Faithful) -> None:
    keras_models.named_layers().export(tmp_path / "saved", verbose=False)
    inputs, outputs = described(faithful(str(tmp_path / "saved")))
    assert inputs == {"features": "float32[batch,6]"}
    assert sorted(outputs.values()) == ["float32[batch,2]", "float32[batch,3]"]


def test_the_only_signature_is_taken_whatever_its_name(tmp_path: Path, faithful: Faithful) -> None:
    assert list(described(faithful(saved(tmp_path / "saved", "embed")))[1]) == ["score"]


def test_several_signatures_without_a_serving_one_are_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path / "saved", "a", "b")
    with pytest.raises(AssayError, match="has the signatures a, b, but should have one named serving_default"):
        open_source(folder)


def test_a_folder_without_its_variables_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path / "saved", "serving_default")
    for file in (folder / "variables").iterdir():
        file.unlink()
    with pytest.raises(AssayError, match="can't be loaded as a SavedModel"):
        open_source(folder)
