"""Calls whose results follow from sizes alone are constants before anything is translated."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from assay.converters.pytorch.empty_results import settle


class Call(torch.nn.Module):
    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, tensor: torch.Tensor) -> torch.Tensor:
        return self.function(tensor)


def _settled(function: Callable[[torch.Tensor], torch.Tensor], tensor: torch.Tensor) -> torch.export.ExportedProgram:
    return settle(torch.export.export(Call(function), (tensor,), strict=False))


def _operators(program: torch.export.ExportedProgram) -> list[str]:
    return [str(node.target) for node in program.graph.nodes if node.op == "call_function"]


def test_the_mean_of_nothing_is_a_number_that_is_none() -> None:
    program = _settled(torch.mean, torch.zeros(0, 3))
    assert _operators(program) == ["aten.full.default"]
    assert math.isnan(program.module()(torch.zeros(0, 3)).item())


def test_a_result_of_no_elements_keeps_its_shape() -> None:
    program = _settled(lambda tensor: tensor @ torch.zeros(3, 2), torch.zeros(0, 3))
    assert program.module()(torch.zeros(0, 3)).shape == (0, 2)
    assert _operators(program) == ["aten.full.default"]


def test_a_program_of_tensors_with_elements_stays_the_same() -> None:
    program = torch.export.export(Call(torch.mean), (torch.zeros(2, 3),), strict=False)
    assert settle(program) is program
