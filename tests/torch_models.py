"""Tiny PyTorch models that tests convert, judge and break; each factory gives the same weights every time."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class Encoder(nn.Module):
    """A linear layer, a normalization, a GELU and a reshape, with two outputs of equal shape."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.widen = nn.Linear(6, 8)
        self.norm = nn.LayerNorm(8, eps=1e-12)
        self.left, self.right = nn.Linear(8, 3), nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        hidden = functional.gelu(self.norm(self.widen(x)))
        hidden = hidden.reshape(x.shape[0], 2, 4).flatten(1)
        return {"left": self.left(hidden), "right": self.right(hidden)}


def encoder() -> nn.Module:
    """The model that `tests/meta` breaks."""
    return Encoder()
