"""The target chooses the opset, in both frameworks; every opset that is written is right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import pytest
import torch

import assay
from assay.converters.exporter import exporters_of, newest_opset
from assay.converters.sources import open_source

L = keras.layers
OPSETS = (17, 18, 20, 21, 23, 28)


def picture() -> Any:
    place = keras.Input((None, None, 3))
    maps = L.GroupNormalization(2)(L.Conv2D(4, 3, padding="same", activation="gelu")(place))
    return keras.Model(place, L.Dense(3, activation="softmax")(L.GlobalAveragePooling2D()(L.MaxPooling2D()(maps))))


def sequence() -> Any:
    place = keras.Input((None, 8))
    attended = L.LayerNormalization()(place + L.MultiHeadAttention(2, 4)(place, place, use_causal_mask=True))
    return keras.Model(place, L.RMSNormalization()(L.Bidirectional(L.GRU(4, return_sequences=True))(attended)))


def looped() -> Any:
    place = keras.Input((None, 6, 6, 2))
    return keras.Model(place, L.ConvLSTM2D(3, 3, padding="same")(place))


MODELS = {"picture": picture, "sequence": sequence, "loop": looped}


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("name", MODELS)
def test_every_opset_is_right(name: str, opset: int, tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    model = MODELS[name]()
    for weight in model.weights:
        if "kernel" in weight.path or "bias" in weight.path:
            weight.assign(np.random.default_rng(0).standard_normal(weight.shape).astype(np.float32) * 0.5)
    bundle = assay.convert(model, tmp_path / "bundle", opset=opset)
    assert onnx.load(bundle.model).opset_import[0].version == opset
    assert assay.check(bundle, model, level="quick").verdict is assay.Verdict.PASS


@pytest.mark.parametrize(("target", "opset", "ir_version"), [("edge", 18, 8), ("web", 21, 10), ("server-cpu", 28, 14)])
def test_a_keras_model_has_the_newest_opset_of_the_target(
    target: str, opset: int, ir_version: int, tmp_path: Path
) -> None:
    proto = onnx.load(assay.convert(picture(), tmp_path / "bundle", target=target).model)
    assert (proto.opset_import[0].version, proto.ir_version) == (opset, ir_version)


@pytest.mark.parametrize(("target", "opset", "ir_version"), [("edge", 18, 8), ("web", 21, 10)])
def test_a_module_has_the_newest_opset_of_the_target(target: str, opset: int, ir_version: int, tmp_path: Path) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU())
    bundle = assay.convert(module, tmp_path / "bundle", inputs={"input": "float32[batch,4]"}, target=target)
    proto = onnx.load(bundle.model)
    assert (proto.opset_import[0].version, proto.ir_version) == (opset, ir_version)
    assert not [finding for finding in assay.lint(bundle, target) if finding.severity == "error"]


def test_an_opset_that_is_asked_for_counts_more(tmp_path: Path) -> None:
    proto = onnx.load(assay.convert(picture(), tmp_path / "bundle", opset=17, target="web").model)
    assert proto.opset_import[0].version == 17


def test_an_unknown_target_is_refused_before_anything_is_opened(tmp_path: Path) -> None:
    with pytest.raises(assay.AssayError, match="fridge"):
        assay.convert("missing.keras", tmp_path / "bundle", target="fridge")


def test_every_exporter_but_the_one_of_onnx_says_its_newest_opset() -> None:
    source = open_source(picture())
    assert all(newest_opset(source, name) for name in exporters_of("tensorflow", "keras"))
    assert newest_opset(source, "onnx") is None
