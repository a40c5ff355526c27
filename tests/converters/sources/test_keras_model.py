"""A Keras model, live or from a file: the names of its author, in inference mode."""

from __future__ import annotations

from pathlib import Path

import keras_models
import numpy as np
import pytest
from judging import Faithful, described

from assay import AssayError
from assay.converters.sources import open_source

X = {"input": "float32[batch,6]"}
ROW = "float32[batch,3]"


def test_a_sequential_model_without_names_goes_by_input_and_output(faithful: Faithful) -> None:
    assert described(faithful(keras_models.sequential())) == (X, {"output": ROW})


def test_dictionaries_of_inputs_and_outputs_keep_their_names(faithful: Faithful) -> None:
    inputs, outputs = described(faithful(keras_models.functional()))
    assert inputs == {"left": "float32[batch,6]", "right": "float32[batch,4]"}
    assert outputs == {"score": ROW, "hidden": "float32[batch,2]"}


def test_outputs_in_a_list_are_named_after_the_layers_that_the_author_named(faithful: Faithful) -> None:
    inputs, outputs = described(faithful(keras_models.named_layers()))
    assert inputs == {"features": "float32[batch,6]"}
    assert outputs == {"score": ROW, "box": "float32[batch,2]"}


def test_a_subclassed_model_takes_the_shapes_that_the_user_gives(faithful: Faithful) -> None:
    inputs = {"x": "float32[batch,6]"}
    bundle = faithful(keras_models.subclassed(), inputs)
    assert described(bundle) == (inputs, {"score": ROW, "same": "float32[batch,6]"})


def test_a_subclassed_model_without_shapes_is_refused() -> None:
    with pytest.raises(AssayError, match="give the shapes of its inputs"):
        open_source(keras_models.subclassed())


def test_dropout_and_batch_statistics_are_those_of_inference(faithful: Faithful) -> None:
    model = keras_models.noisy()
    before = [np.copy(weight) for weight in model.get_weights()]
    faithful(model)
    for was, now in zip(before, model.get_weights(), strict=True):
        assert np.array_equal(was, now)


def test_ids_take_the_range_that_the_user_gives(faithful: Faithful) -> None:
    inputs = {"ids": "int64[batch,seq] in 0..99"}
    assert described(faithful(keras_models.tokens(), inputs)) == (inputs, {"output": ROW})


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_file_is_opened_by_its_bytes(name: str, tmp_path: Path, faithful: Faithful) -> None:
    keras_models.named_layers().save(tmp_path / name)
    (tmp_path / name).rename(tmp_path / "renamed")
    if name.endswith("h5"):
        (tmp_path / "renamed").rename(tmp_path / "renamed.hdf5")
    path = next(tmp_path.glob("renamed*"))
    assert described(faithful(path))[1] == {"score": ROW, "box": "float32[batch,2]"}


def test_the_second_model_of_a_factory_has_the_names_of_the_first() -> None:
    factories = (keras_models.sequential, keras_models.functional, keras_models.named_layers, keras_models.noisy)
    for factory in factories:
        first, second = open_source(factory()), open_source(factory())
        feeds = {spec.name: np.ones(spec.shape({"batch": 2}), np.float32) for spec in first.inputs}
        assert [spec.name for spec in first.inputs] == [spec.name for spec in second.inputs]
        assert list(first.run(feeds)) == list(second.run(feeds))
        assert first.sha256() == second.sha256()


def test_the_digest_follows_the_weights() -> None:
    model = keras_models.sequential()
    before = open_source(model).sha256()
    model.layers[0].kernel.assign_add(1e-6 * np.ones((6, 8), np.float32))
    assert open_source(model).sha256() != before


def test_a_perturbed_twin_puts_the_weights_back() -> None:
    model = keras_models.sequential()
    source = open_source(model)
    feeds = {"input": np.ones((2, 6), np.float32)}
    before = source.run(feeds)["output"]
    twin = source.perturbed(0)
    assert twin is not None
    assert 0 < np.abs(twin.run(feeds)["output"] - before).max() < 1e-5
    assert np.array_equal(source.run(feeds)["output"], before)
