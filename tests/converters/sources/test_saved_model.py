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
    with pytest.raises(AssayError, match="has the signatures a, b, but should have one named serving_default") as told:
        open_source(folder)
    assert str(told.value).endswith(f"choose one: {folder}#a")


def two_signatures(folder: Path) -> Path:
    module = tf.Module()
    module.weight = tf.Variable(2.0)
    spec = [tf.TensorSpec([None], tf.float32, name="x")]
    double = tf.function(lambda x: {"double": x * module.weight}, input_signature=spec)
    square = tf.function(lambda x: {"square": x * x}, input_signature=spec)
    tf.saved_model.save(module, str(folder), signatures={"serving_default": double, "squared": square})
    return folder


def test_a_signature_is_asked_for_behind_the_path(tmp_path: Path, faithful: Faithful) -> None:
    folder = two_signatures(tmp_path / "saved")
    assert list(described(faithful(f"{folder}#squared"))[1]) == ["square"]
    assert list(described(faithful(f"{folder}#serving_default"))[1]) == ["double"]
    assert list(described(faithful(folder))[1]) == ["double"]


def test_a_signature_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    folder = two_signatures(tmp_path / "saved")
    with pytest.raises(AssayError, match="has no signature cubed, but has serving_default, squared"):
        open_source(f"{folder}#cubed")


def test_a_folder_whose_own_name_has_a_hash_is_opened(tmp_path: Path) -> None:
    assert open_source(saved(tmp_path / "model#2", "serving_default")).kind == "saved-model"


def test_only_a_saved_model_has_signatures(tmp_path: Path) -> None:
    keras_models.named_layers().save(tmp_path / "model.keras")
    with pytest.raises(AssayError, match="only a SavedModel has signatures"):
        open_source(f"{tmp_path / 'model.keras'}#serving_default")


def test_a_folder_without_its_variables_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path / "saved", "serving_default")
    for file in (folder / "variables").iterdir():
        file.unlink()
    with pytest.raises(AssayError, match="can't be loaded as a SavedModel"):
        open_source(folder)
