"""The oracle: where the noise floor comes from, and what it does when it can't be had."""

from __future__ import annotations

from pathlib import Path

import keras_models
import numpy as np
import pytest
import torch
import torch_models
from onnx import parser

from assay.conformance.parity.oracle import Oracle, ReferenceRefused
from assay.converters.sources import open_source

FEEDS = {"x": np.linspace(-1, 1, 12, dtype=np.float32).reshape(2, 6)}
X = {"x": "float32[batch,6]"}


class Single(torch.nn.Module):
    """Casts to float32 inside, so that it has no float64 twin."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = torch.nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.linear(x.float(), self.linear.weight.float(), self.linear.bias.float())


def test_a_pytorch_model_is_judged_in_float64() -> None:
    oracle = Oracle(open_source(torch_models.encoder(), X), FEEDS)
    found = oracle.judge(FEEDS)
    assert oracle.method == "float64"
    assert {value.dtype.name for value in found.truth.values()} == {"float64"}
    assert all(0 < noise.rms <= noise.max < 1e-6 for noise in found.floor.values())


@pytest.mark.parametrize(
    ("source", "inputs", "name"),
    [(Single(), X, "x"), (keras_models.sequential(), None, "input")],
    ids=["a model that casts to float32", "a Keras model"],
)
def test_without_a_float64_twin_the_weights_move(source: object, inputs: dict[str, str] | None, name: str) -> None:
    feeds = {name: FEEDS["x"]}
    oracle = Oracle(open_source(source, inputs), feeds)
    found = oracle.judge(feeds)
    assert oracle.method == "one-ulp weights"
    assert all(0 < noise.max < 1e-5 for noise in found.floor.values())


def test_without_weights_the_inputs_move(tmp_path: Path) -> None:
    text = '<ir_version: 8, opset_import: ["" : 17]> g (float[n,6] x) => (float[n,6] y) { y = Exp(x) }'
    (tmp_path / "exp.onnx").write_bytes(parser.parse_model(text).SerializeToString())
    oracle = Oracle(open_source(tmp_path / "exp.onnx"), FEEDS)
    assert oracle.method == "one-ulp inputs"
    assert 0 < oracle.judge(FEEDS).floor["y"].max < 1e-5


def test_a_probe_that_the_source_does_not_take_judges_nobody() -> None:
    oracle = Oracle(open_source(torch_models.encoder(), X), FEEDS)
    with pytest.raises(ReferenceRefused, match="RuntimeError: "):
        oracle.judge({"x": np.zeros((2, 5), np.float32)})


def test_the_source_is_left_as_it_was() -> None:
    model = torch_models.encoder()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    Oracle(open_source(model, X), FEEDS).judge(FEEDS)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
