"""Recurrences: one Scan node for any length, also where the model says it as an associative scan."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor
from torch._higher_order_ops.associative_scan import associative_scan

from assay import convert
from assay.converters.pytorch.adapters.scans import scan, sequential


def combine(left: tuple[Tensor, Tensor], right: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Two steps of a linear recurrence as one."""
    return left[0] * right[0], left[1] * right[0] + right[1]


def added(left: Tensor, right: Tensor) -> Tensor:
    """A running sum."""
    return left + right


class Decaying(torch.nn.Module):
    """A state that decays at each step by a factor of the layer's own, and takes in what comes."""

    def __init__(self) -> None:
        super().__init__()
        self.decay = torch.nn.Parameter(torch.linspace(0.1, 0.9, 4))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        def step(state: Tensor, item: Tensor) -> tuple[Tensor, Tensor]:
            state = state * self.decay + item
            return state, state.clone()

        last, states = scan(step, torch.zeros_like(x[:, 0]), x, 1)
        return last, states


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("size", [1, 2, 7])
def test_one_after_the_other_gives_what_the_associative_scan_gives(size: int, reverse: bool) -> None:
    x = torch.randn(2, size, 3, generator=torch.Generator().manual_seed(0))
    due = torch.cumsum(x.flip(1), 1).flip(1) if reverse else torch.cumsum(x, 1)
    with torch.no_grad():
        found = sequential(added, x, 1, reverse)
        usual = associative_scan(added, x, 1, reverse=reverse, combine_mode="generic")
    assert torch.allclose(found, due)
    assert torch.allclose(usual, due)


def test_several_sequences_are_combined_together() -> None:
    a, b = torch.rand(2, 5), torch.randn(2, 5)
    with torch.no_grad():
        _, found = sequential(combine, (a, b), 1)
    state, due = torch.zeros(2), []
    for index in range(5):
        state = state * a[:, index] + b[:, index]
        due.append(state)
    assert torch.allclose(found, torch.stack(due, 1))


def test_a_scan_is_one_node_whatever_the_length(tmp_path: Path) -> None:
    module = Decaying()
    path = convert(module, tmp_path / "bundle", inputs={"x": "float32[batch,length,4]"}).model
    assert [node.op_type for node in onnx.load(path).graph.node].count("Scan") == 1
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for length in (1, 2, 9):
        x = torch.randn(3, length, 4, generator=torch.Generator().manual_seed(length))
        with torch.no_grad():
            due = module(x)
        for found, expected in zip(session.run(None, {"x": x.numpy()}), due, strict=True):
            np.testing.assert_allclose(found, expected.numpy(), atol=1e-6)
