"""Exporters in turn: the first whose model is proved is taken, and every step is told."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from assay import AssayError
from assay.conformance.comparison.conversion import Order
from assay.conformance.ladder import climb
from assay.converters.files import read_model


class Pinned(torch.nn.Module):
    """A loop that tracing writes out, so that no exporter keeps it right at other lengths."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        state = x[:, 0]
        for step in range(1, x.shape[1]):
            state = torch.tanh(state + x[:, step])
        return state


def signed(x: torch.Tensor) -> torch.Tensor:
    """Another path for inputs of a positive sum."""
    if bool(x.sum() > 0):
        return x * 2
    return x - 9


@cache
def scripted() -> Any:
    """The function with its branches, as TorchScript; it can't be copied, so that no module holds it."""
    return torch.jit.script(signed)


class ByValue(torch.nn.Module):
    """A scripted branch by values, which torch.export can't follow, and TorchScript's exporter keeps."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = scripted()(self.linear(x))
        return result


def test_the_default_exporter_is_taken_where_it_proves_to_be_right(tmp_path: Path) -> None:
    order = Order(torch.nn.Linear(4, 3), inputs={"input": "float32[batch,4]"})
    climbed = climb(order, tmp_path / "bundle")
    assert [(step.exporter, step.outcome) for step in climbed.steps] == [("assay.pytorch", "pass")]
    assert read_model(climbed.bundle.model).metadata_props["assay.exporter"] == "assay.pytorch"


def test_where_no_exporter_gets_there_the_whole_story_is_told(tmp_path: Path) -> None:
    order = Order(Pinned(), inputs={"x": "float32[batch,time,3]"})
    with pytest.raises(AssayError) as told:
        climb(order, tmp_path / "bundle")
    story = str(told.value)
    assert "assay.pytorch" in story
    assert "axis time is fixed to 17" in story
    assert "torch.onnx.torchscript" in story
    assert "fail: PA" in story
    assert not (tmp_path / "bundle").exists()


def test_a_later_exporter_is_taken_after_those_that_refuse(tmp_path: Path) -> None:
    climbed = climb(Order(ByValue(), inputs={"x": "float32[batch,4]"}), tmp_path / "bundle")
    outcomes = [(step.exporter, step.outcome) for step in climbed.steps]
    assert outcomes == [("assay.pytorch", "refused"), ("torch.onnx", "refused"), ("torch.onnx.torchscript", "pass")]
