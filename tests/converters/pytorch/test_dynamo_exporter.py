"""``torch.export`` and ``torch.onnx``: arguments in every form, and where each node comes from."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
import torch
import torch_models
from judging import Faithful, described

from assay import AssayError, convert

X, Y = {"x": "float32[batch,6]"}, {"y": "float32[batch,6]"}


class Starred(torch.nn.Module):
    """Takes its inputs by position alone."""

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        return tensors[0] + 2 * tensors[1]


class Positional(torch.nn.Module):
    """Takes its input by position alone, under a name."""

    def forward(self, x: torch.Tensor, /) -> torch.Tensor:
        return torch.tanh(x)


class Keyword(torch.nn.Module):
    """Takes one input by name alone."""

    def forward(self, x: torch.Tensor, *, y: torch.Tensor) -> torch.Tensor:
        return x + 2 * y


def test_inputs_without_names_take_those_that_the_user_gives(faithful: Faithful) -> None:
    assert described(faithful(Starred(), X | Y))[0] == X | Y


def test_inputs_by_position_and_by_name_are_told_apart(faithful: Faithful) -> None:
    assert described(faithful(Positional(), X))[0] == X
    assert described(faithful(Keyword(), Y | X))[0] == X | Y


def test_a_bounded_axis_keeps_its_bounds(faithful: Faithful) -> None:
    inputs = {"x": "float32[batch>=2<=64,6]"}
    assert described(faithful(torch_models.encoder(), inputs))[0] == inputs


def test_a_node_knows_its_line_and_its_module(tmp_path: Path) -> None:
    model = onnx.load(convert(torch_models.encoder(), tmp_path / "b", inputs=X).model)
    (node,) = (node for node in model.graph.node if node.op_type == "LayerNormalization")
    origin = {entry.key: entry.value for entry in node.metadata_props}
    assert origin["assay.module"] == "norm"
    assert origin["assay.source_line"].startswith("torch_models.py:")


def test_an_axis_that_the_models_code_fixes_is_named_with_its_size(tmp_path: Path) -> None:
    class Pinned(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.reshape(2, 3, 2)

    with pytest.raises(AssayError, match=r"axis batch is fixed to 2 by the model's code.*; write 2 in place of batch"):
        convert(Pinned(), tmp_path / "b", inputs=X)
