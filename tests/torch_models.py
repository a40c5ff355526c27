"""Tiny PyTorch models that tests convert, judge and break; each factory gives the same weights every time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


class Encoder(nn.Module):
    """A linear layer, a normalization, a GELU and a reshape, with two outputs of equal shape."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.widen = nn.Linear(6, 8)
        self.norm = nn.LayerNorm(8, eps=1e-12)
        self.left, self.right = nn.Linear(8, 3), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        hidden = functional.gelu(self.norm(self.widen(x)))
        hidden = hidden.reshape(x.shape[0], 2, 4).flatten(1)
        return {"left": self.left(hidden), "right": self.right(hidden)}


class Giving(nn.Module):
    """A linear layer, whose result and input are given back in the form that a function makes of them."""

    def __init__(self, form: Callable[[Tensor, Tensor], Any]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(6, 3)
        self.form = form

    def forward(self, x: Tensor) -> Any:
        return self.form(self.linear(x), x)


class Scriptable(nn.Module):
    """A model that TorchScript compiles, with a branch that tracing would lose."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.linear(x)
        if bool(y.sum() > 0):
            y = y * 2
        return y


class TwoInputs(nn.Module):
    """Uses one input, and takes another that it does not need."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(6, 3)

    def forward(self, used: Tensor, unused: Tensor) -> Tensor:  # noqa: ARG002 - that is the point
        result: Tensor = self.linear(used)
        return result


class Optional(nn.Module):
    """Takes a scale that may be left out, before an offset that may be left out too."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(6, 3)

    def forward(self, x: Tensor, scale: Tensor | None = None, offset: Tensor | None = None) -> Tensor:
        y: Tensor = self.linear(x)
        y = y if scale is None else y * scale
        return y if offset is None else y + 5 * offset


class Noisy(nn.Module):
    """Dropout and batch statistics: wrong by far in training mode."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(6, 8)
        self.norm = nn.BatchNorm1d(8)
        self.dropout = nn.Dropout(0.5)
        self.norm.running_mean += torch.randn(8)  # type: ignore[operator]

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.dropout(self.norm(self.linear(x)))
        return result


class Tokens(nn.Module):
    """An embedding of a hundred tokens, averaged over the sequence."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(100, 8)
        self.head = nn.Linear(8, 3)

    def forward(self, ids: Tensor) -> Tensor:
        result: Tensor = self.head(self.embedding(ids).mean(dim=1))
        return result


@dataclass
class Classified:
    """Outputs by the name of a field, one of which is not given."""

    logits: Tensor
    hidden: Tensor
    loss: Tensor | None = None


class Pair(NamedTuple):
    """Outputs by the name of a field."""

    logits: Tensor
    hidden: Tensor


def encoder() -> nn.Module:
    """The model that `tests/meta` breaks."""
    return Encoder()
