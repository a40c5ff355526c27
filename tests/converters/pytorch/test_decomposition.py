"""Operators are decomposed where they stand: the program computes the same, and the one given stays as it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from assay.converters.pytorch.decomposition import NotLocal, _Decomposition, decompose
from assay.converters.pytorch.operator_registry import decompositions, translated
from assay.converters.pytorch.upstream import quiet

OPSET = 20


class Computing(nn.Module):
    """What a function computes, with layers at hand."""

    def __init__(self, function: Callable[[Computing, Tensor], Tensor | tuple[Tensor, ...]]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.function = function
        self.normalization = nn.BatchNorm1d(4)
        self.normalization.running_mean = torch.rand(4)
        self.state: Tensor
        self.register_buffer("state", torch.zeros(4))
        self.eval()

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        return self.function(self, x)


def _written_then_read(_: Computing, x: Tensor) -> Tensor:
    y = x + 1
    before = y * 2
    y.relu_()
    return before + y


def _read_through_a_view(_: Computing, x: Tensor) -> Tensor:
    y = x + 1
    view = y[:, 1:]
    y.mul_(3)
    return view


def _written_through_a_view(_: Computing, x: Tensor) -> Tensor:
    y = x + 1
    y[:, 0].zero_()
    return y


def _written_input(_: Computing, x: Tensor) -> Tensor:
    return x.add_(1) * 2


def _updated_buffer(module: Computing, x: Tensor) -> Tensor:
    module.state.add_(1)
    return x + module.state


def _branches(_: Computing, x: Tensor) -> Tensor:
    result: Tensor = torch.cond(x.sum() > 0, lambda y: y + 1, lambda y: y - 1, (x,))
    return result


LOCAL = {
    "batch normalization": lambda module, x: module.normalization(x),
    "a chain of writes": lambda module, x: module.normalization(x).relu_().add_(x).sigmoid_(),
    "read before it is written": _written_then_read,
    "several results": lambda _, x: torch.var_mean(x, dim=1),
    "two results of one signature": lambda module, x: torch.copysign(*map(module.normalization, (x, -x * x))),
    "one signature twice": lambda _, x: torch.rot90(torch.rot90(x, 1, (0, 1)), 1, (1, 0)),
    "a copy by strides": lambda _, x: x.t().contiguous().reshape(2, -1),
    "no decomposition": lambda _, x: torch.softmax(x, 1),
}
WHOLE = {
    "a view of what is written": _read_through_a_view,
    "a write through a view": _written_through_a_view,
    "a write into an input": _written_input,
    "a write into a buffer": _updated_buffer,
    "control flow": _branches,
}


def program_of(function: Callable[[Computing, Tensor], Tensor]) -> torch.export.ExportedProgram:
    """With a dynamic batch."""
    batch = torch.export.Dim("batch")
    return torch.export.export(Computing(function), (torch.rand(3, 4) - 0.5,), dynamic_shapes={"x": {0: batch}})


def results(program: torch.export.ExportedProgram) -> list[Tensor]:
    """On two sizes of batch."""
    module = program.module()
    torch.manual_seed(1)
    given = [module(torch.rand(size, 4) - 0.5) for size in (2, 5)]
    return [tensor for result in given for tensor in (result if isinstance(result, tuple) else (result,))]


def nodes(program: torch.export.ExportedProgram) -> list[str]:
    """The program's graph as text."""
    return [str(node.format_node()) for node in program.graph.nodes]


@pytest.mark.parametrize("function", LOCAL.values(), ids=LOCAL)
def test_a_program_decomposed_in_place_computes_the_same(function: Callable[[Computing, Tensor], Tensor]) -> None:
    program = program_of(function)
    before = nodes(program)
    decomposed = _Decomposition(program, translated(OPSET), decompositions(OPSET)).run()
    assert nodes(program) == before
    assert not [node for node in decomposed.graph.nodes if node.target in decompositions(OPSET)]
    for ours, own in zip(results(decomposed), results(program), strict=True):
        torch.testing.assert_close(ours, own, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("function", WHOLE.values(), ids=WHOLE)
def test_what_can_not_be_seen_through_is_left_to_torch(function: Callable[[Computing, Tensor], Tensor]) -> None:
    program = program_of(function)  # with a state of its own
    with pytest.raises(NotLocal):
        _Decomposition(program, translated(OPSET), decompositions(OPSET)).run()
    with quiet():
        decomposed = decompose(program, translated(OPSET), decompositions(OPSET))
    for ours, own in zip(results(decomposed), results(program_of(function)), strict=True):
        torch.testing.assert_close(ours, own, rtol=1e-6, atol=1e-6)


def test_one_signature_is_traced_once() -> None:
    program = program_of(lambda module, x: module.normalization(module.normalization(x)))
    decomposition = _Decomposition(program, translated(OPSET), decompositions(OPSET))
    decomposition.run()
    assert len(decomposition.traced) == 1
