"""A live ``nn.Module``: its names, its outputs in every form, and the mode that it is judged in."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from judging import Faithful, described
from torch_models import Classified, Encoder, Giving, Noisy, Optional, Pair, Tokens, TwoInputs

from assay import AssayError
from assay.converters.sources import open_source

X = {"x": "float32[batch,6]"}
ROW = "float32[batch,3]"
Form = Callable[[torch.Tensor, torch.Tensor], Any]
FORMS: dict[str, tuple[Form, dict[str, str]]] = {
    "a tensor": (lambda y, _: y, {"output": ROW}),
    "a tuple": (lambda y, _: (y, -y), {"output_0": ROW, "output_1": ROW}),
    "a dictionary, in its order": (lambda y, _: {"b": y, "a": -y}, {"b": ROW, "a": ROW}),
    "nested": (
        lambda y, _: {"logits": y, "states": (y + 1, {"deep": -y})},
        dict.fromkeys(["logits", "states.0", "states.1.deep"], ROW),
    ),
    "a dataclass": (lambda y, _: Classified(y, -y), {"logits": ROW, "hidden": ROW}),
    "a named tuple": (lambda y, _: Pair(y, -y), {"logits": ROW, "hidden": ROW}),
    "None among others": (lambda y, _: (y, [None, -y], {"loss": None}), {"output_0": ROW, "output_1": ROW}),
    "its input passed through": (lambda y, x: (y, x), {"output_0": ROW, "output_1": "float32[batch,6]"}),
    "nothing but its input": (lambda _, x: x, {"output": "float32[batch,6]"}),
    "one tensor twice": (lambda y, _: {"logits": y, "again": y}, {"logits": ROW, "again": ROW}),
    "a constant": (lambda y, _: (y, torch.tensor([1.0, 2.0])), {"output_0": ROW, "output_1": "float32[2]"}),
    "a plain number": (lambda y, _: (y, 3), {"output_0": ROW, "output_1": "int64[]"}),
    "a size": (lambda y, _: (y, y.shape[0]), {"output_0": ROW, "output_1": "int64[]"}),
    "a scalar": (lambda y, _: y.sum(), {"output": "float32[]"}),
    "float64": (lambda y, _: y.double(), {"output": "float64[batch,3]"}),
    "nothing on one axis": (lambda y, _: y[:, :0], {"output": "float32[batch,0]"}),
    "an output with its input's name": (lambda y, _: {"x": y}, {"x_output": ROW}),
}


@pytest.mark.parametrize(("form", "outputs"), FORMS.values(), ids=FORMS)
def test_outputs_keep_their_form(form: Form, outputs: dict[str, str], faithful: Faithful) -> None:
    bundle = faithful(Giving(form), X)
    assert described(bundle) == (X, outputs)
    assert list(outputs) == [spec.name for spec in bundle.interface.outputs]


@pytest.mark.parametrize("name", ["nested", "a dataclass", "None among others", "a plain number", "one tensor twice"])
def test_outputs_keep_their_form_through_the_other_exporter(name: str, faithful: Faithful) -> None:
    form, outputs = FORMS[name]
    assert described(faithful(Giving(form), X, exporter="torch.onnx.torchscript"))[1] == outputs


def test_outputs_without_names_take_those_that_the_user_gives(faithful: Faithful) -> None:
    bundle = faithful(Giving(lambda y, _: (y, -y)), X, outputs=["logits", "negated"])
    assert list(described(bundle)[1]) == ["logits", "negated"]


@pytest.mark.parametrize("names", [["logits"], ["logits", "logits"]])
def test_names_that_do_not_fit_the_outputs_are_refused(names: list[str]) -> None:
    source = open_source(Giving(lambda y, _: (y, -y)), X, names)
    with pytest.raises(AssayError, match=r"names? .*for"):
        source.run({"x": np.zeros((2, 6), np.float32)})


def test_an_output_that_is_no_tensor_is_refused() -> None:
    source = open_source(Giving(lambda y, _: (y, "label")), X)
    with pytest.raises(AssayError, match="gives a str among its outputs"):
        source.run({"x": np.zeros((2, 6), np.float32)})


@pytest.mark.parametrize("exporter", ["torch.onnx", "torch.onnx.torchscript"])
def test_an_input_that_nothing_uses_is_kept(exporter: str, faithful: Faithful) -> None:
    inputs = {"used": "float32[batch,6]", "unused": "float32[batch,2]"}
    bundle = faithful(TwoInputs(), inputs, exporter=exporter)
    assert described(bundle)[0] == inputs


@pytest.mark.parametrize("exporter", ["torch.onnx", "torch.onnx.torchscript"])
@pytest.mark.parametrize("extra", [(), ("offset",), ("scale", "offset")])
def test_optional_inputs_are_those_that_the_user_names(
    extra: tuple[str, ...], exporter: str, faithful: Faithful
) -> None:
    inputs = X | dict.fromkeys(extra, "float32[batch,3]")
    assert described(faithful(Optional(), inputs, exporter=exporter))[0] == inputs


def test_ids_stay_in_their_range(faithful: Faithful) -> None:
    bundle = faithful(Tokens(), {"ids": "int64[batch,seq] in 0..99"})
    assert described(bundle) == ({"ids": "int64[batch,seq] in 0..99"}, {"output": ROW})


@pytest.mark.parametrize("exporter", ["torch.onnx", "torch.onnx.torchscript"])
def test_a_model_in_training_mode_is_judged_in_evaluation_mode_and_left_as_it_was(
    exporter: str, faithful: Faithful
) -> None:
    model = Noisy().train()
    model.dropout.eval()
    modes = {name: module.training for name, module in model.named_modules()}
    statistics = {name: value.clone() for name, value in model.named_buffers()}
    faithful(model, X, exporter=exporter)
    assert {name: module.training for name, module in model.named_modules()} == modes
    assert all(torch.equal(value, statistics[name]) for name, value in model.named_buffers())
    assert not model._forward_hooks


def test_the_digest_follows_the_weights() -> None:
    model = Encoder()
    digest = open_source(model, X).sha256()
    assert open_source(Encoder(), X).sha256() == digest
    with torch.no_grad():
        model.left.bias[0] += 1e-6
    assert open_source(model, X).sha256() != digest


def test_twins_leave_the_model_as_it_is() -> None:
    model = Encoder()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    source = open_source(model, X)
    feeds = {"x": np.ones((2, 6), np.float32)}
    exact, moved = source.exact(), source.perturbed(0)
    assert exact is not None
    assert moved is not None
    assert {value.dtype.name for value in exact.run(feeds).values()} == {"float64"}
    assert 0 < np.abs(moved.run(feeds)["left"] - source.run(feeds)["left"]).max() < 1e-5
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


class TestPickle:
    """A whole module in a pickle, whatever the file's name."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        torch.save(Encoder(), tmp_path / "model.pt")
        return tmp_path / "model.pt"

    def test_it_is_opened_where_the_user_trusts_it(self, path: Path, faithful: Faithful) -> None:
        assert list(described(faithful(str(path), X, trust=True))[1]) == ["left", "right"]

    def test_it_is_refused_otherwise(self, path: Path) -> None:
        with pytest.raises(AssayError, match="--trust-source"):
            open_source(path, X)

    def test_weights_alone_are_no_model(self, tmp_path: Path) -> None:
        torch.save(Encoder().state_dict(), tmp_path / "weights.pt")
        with pytest.raises(AssayError, match=r"holds a OrderedDict, but should hold a whole nn\.Module"):
            open_source(tmp_path / "weights.pt", X, trust=True)

    def test_a_plain_pickle_is_one_too(self, tmp_path: Path) -> None:
        (tmp_path / "model.bin").write_bytes(pickle.dumps([1]))
        with pytest.raises(AssayError, match="--trust-source"):
            open_source(tmp_path / "model.bin", X)
