"""Modules whose code looks at the sizes of its inputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Branch(nn.Module):
    """Another path for long inputs."""

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[1] * 2 > 20:
            return x * 2
        return x + 1.5


class Remainder(nn.Module):
    """Another path for lengths that four does not divide."""

    def forward(self, x: Tensor) -> Tensor:
        return x * 2 if x.shape[1] % 4 == 0 else x + 1.5


class Single(nn.Module):
    """Another path for one column, a size that torch takes no notice of by default."""

    def forward(self, x: Tensor) -> Tensor:
        return x * 2 if x.shape[1] == 1 else x + 1.5


class Table(nn.Module):
    """A table of 32 positions."""

    def __init__(self) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.arange(32.0))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.positions[: x.shape[1]]


class Loop(nn.Module):
    """A loop over the columns."""

    def forward(self, x: Tensor) -> Tensor:
        state = x[:, 0]
        for step in range(1, x.shape[1]):
            state = torch.tanh(state + x[:, step])
        return state


class Chunks(nn.Module):
    """A loop over pieces of four columns."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([piece.sum(1) for piece in x.split(4, 1)], 1)


class Product(nn.Module):
    """A product whose shape torch finds by asking whether the length is one, though nothing hangs by it."""

    def forward(self, x: Tensor) -> Tensor:
        return x @ x.transpose(1, 2)


class AdaptivePool(nn.Module):
    """Pooling to 3 x 3 of images of any size."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.adaptive_avg_pool2d(x, 3)


class WholeNumbers(nn.Module):
    """A reshape by sizes that were made whole numbers."""

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(int(x.shape[0]) * int(x.shape[1]), -1) * 2


class Values(nn.Module):
    """Another path for inputs of a positive sum."""

    def forward(self, x: Tensor) -> Tensor:
        return x * 2 if x.sum() > 0 else x - 9


class Halves(nn.Module):
    """The two halves of each row, multiplied."""

    def forward(self, x: Tensor) -> Tensor:
        left, right = x.chunk(2, 1)
        return left * right
