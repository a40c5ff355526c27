"""The oracle: where the noise floor comes from, and what it does when it can't be had."""

from __future__ import annotations

from pathlib import Path

import keras_models
import numpy as np
import pytest
import torch
import torch_models
from onnx import numpy_helper, parser

from assay.conformance.parity.oracle import Oracle, ReferenceRefused, distance
from assay.converters.sources import open_source

FEEDS = {"x": np.linspace(-1, 1, 12, dtype=np.float32).reshape(2, 6)}
X = {"x": "float32[batch,6]"}


class Branching(torch.nn.Module):
    """Does something else in float64: its twin is another model."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = torch.nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.linear(x)
        return y * 2 if x.dtype is torch.float64 else y


class Raising(Branching):
    """Has no float64 twin: refuses the dtype."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.dtype is torch.float64:
            raise ValueError(x.dtype)
        y: torch.Tensor = self.linear(x)
        return y


class Picky(Branching):
    """Refuses float64 on long inputs alone."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.dtype is torch.float64 and len(x) > 2:
            raise ValueError(x.dtype)
        y: torch.Tensor = self.linear(x)
        return y


def test_a_pytorch_model_is_judged_in_float64() -> None:
    oracle = Oracle(open_source(torch_models.encoder(), X), FEEDS)
    found = oracle.judge(FEEDS)
    assert oracle.method == "float64"
    assert {value.dtype.name for value in found.truth.values()} == {"float64"}
    assert all(0 < noise.rms <= noise.max < 1e-6 for noise in found.floor.values())


@pytest.mark.parametrize("source", [Branching(), Raising()], ids=["another model in float64", "refuses float64"])
def test_without_a_float64_twin_the_weights_move(source: torch.nn.Module) -> None:
    oracle = Oracle(open_source(source, X), FEEDS)
    found = oracle.judge(FEEDS)
    assert oracle.method == "one-ulp weights"
    assert all(0 < noise.max < 1e-5 for noise in found.floor.values())


def test_every_kind_of_source_is_judged_in_float64(tmp_path: Path) -> None:
    text = '<ir_version: 8, opset_import: ["" : 17]> g (float[n,6] x) => (float[n,6] y) { y = Exp(x) }'
    (tmp_path / "exp.onnx").write_bytes(parser.parse_model(text).SerializeToString())
    for source, name in ((tmp_path / "exp.onnx", "x"), (keras_models.sequential(), "input")):
        feeds = {name: FEEDS["x"]}
        oracle = Oracle(open_source(source), feeds)
        found = oracle.judge(feeds)
        assert oracle.method == "float64"
        assert {value.dtype.name for value in found.truth.values()} == {"float64"}
        assert all(0 < noise.rms <= noise.max < 1e-6 for noise in found.floor.values())


def test_without_weights_the_inputs_move() -> None:
    class Weightless(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if x.dtype is torch.float64:
                raise ValueError(x.dtype)
            return x.exp()

    oracle = Oracle(open_source(Weightless(), X), FEEDS)
    assert oracle.method == "one-ulp inputs"
    assert all(0 < noise.max < 1e-5 for noise in oracle.judge(FEEDS).floor.values())


def test_what_stays_in_float32_is_named_and_the_floor_is_at_least_the_spread(tmp_path: Path) -> None:
    text = 'r = Resize<mode="linear">(x,,s) z = MatMul(r, w) y = Exp(z)'
    proto = parser.parse_model(
        f'<ir_version: 8, opset_import: ["" : 17]> g (float[n,6] x) => (float[n,12] y) {{ {text} }}'
    )
    weights = np.random.default_rng(0).standard_normal((12, 12)).astype(np.float32)
    proto.graph.initializer.append(numpy_helper.from_array(weights, "w"))
    proto.graph.initializer.append(numpy_helper.from_array(np.array([1, 2], np.float32), "s"))
    (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
    source = open_source(tmp_path / "m.onnx")
    oracle = Oracle(source, FEEDS)
    found = oracle.judge(FEEDS)
    moved = source.perturbed(0)
    assert oracle.method == "float64 except Resize"
    assert moved is not None
    assert found.floor["y"].max >= distance(moved.run(FEEDS)["y"], found.values["y"]).max > 0
    assert found.floor["y"].max >= distance(found.values["y"], found.truth["y"]).max > 0


def test_a_twin_that_raises_on_a_probe_is_not_the_source_refusing_it() -> None:
    oracle = Oracle(open_source(Picky(), X), FEEDS)
    short, long = oracle.judge(FEEDS), oracle.judge({"x": np.ones((3, 6), np.float32)})
    assert next(iter(short.truth.values())).dtype == np.float64
    assert next(iter(long.truth.values())).dtype == np.float32
    assert all(noise.max > 0 for noise in long.floor.values())
    assert oracle.method == "float64, but one-ulp weights on 1 probes that it does not take"


def test_a_source_in_float64_is_judged_by_its_spread() -> None:
    oracle = Oracle(open_source(torch_models.encoder().double(), {"x": "float64[batch,6]"}), {"x": FEEDS["x"] * 1.0})
    feeds = {"x": FEEDS["x"].astype(np.float64)}
    assert all(0 < noise.max < 1e-14 for noise in oracle.judge(feeds).floor.values())


def test_the_twins_run_only_when_somebody_asks() -> None:
    source, runs = open_source(torch_models.encoder(), X), []
    waver = source.wavering

    def counted(seed: int) -> object:
        runs.append(seed)
        return waver(seed)

    source.wavering = counted  # type: ignore[assignment, method-assign]
    reference = Oracle(source, FEEDS).judge(FEEDS)
    assert runs == []
    assert len(reference.twins()) == len(reference.twins()) == len(runs) == 8


def test_a_probe_that_the_source_does_not_take_judges_nobody() -> None:
    oracle = Oracle(open_source(torch_models.encoder(), X), FEEDS)
    with pytest.raises(ReferenceRefused, match="RuntimeError: "):
        oracle.judge({"x": np.zeros((2, 5), np.float32)})


def test_the_source_is_left_as_it_was() -> None:
    model = torch_models.encoder()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    Oracle(open_source(model, X), FEEDS).judge(FEEDS)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
