"""Functions of torch that read their tensors' values in Python, replaced while a model is traced by ones that don't."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

T = torch.Tensor


class Substitution(TorchFunctionMode):
    """While it is entered, the functions of the table are called in place of torch's."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        replaced = _TABLE.get(func)
        result = NotImplemented if replaced is None else replaced(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {})) if result is NotImplemented else result


def cov(input: T, *, correction: int = 1, fweights: T | None = None, aweights: T | None = None) -> T:
    """Covariances of the rows, without torch's warning, for which it looks at how many observations there are."""
    rows = input.reshape(1, -1) if input.ndim < 2 else input
    weights = [each for each in (fweights, aweights) if each is not None]
    if not weights:
        centered = rows - rows.mean(1, keepdim=True)
        products = centered @ centered.mT / torch.sym_max(rows.shape[1] - correction, 0)
    else:
        weight: T = math.prod(weights[1:], start=weights[0])
        total = weight.sum()
        mean = (rows * weight).sum(1, keepdim=True) / total
        share = correction if aweights is None else correction * (weight * aweights).sum() / total
        centered = rows - mean
        weighed: T = torch.matmul(centered * weight, centered.mT)
        products = weighed / torch.clamp(total - share, min=0)
    result: T = products.reshape(()) if rows.shape[0] == 1 else products
    return result


def corrcoef(input: T) -> T:
    """Correlations of the rows."""
    products = cov(input)
    if products.ndim == 0:
        return products / products
    deviations = products.diagonal().sqrt()
    return torch.clamp(products / deviations[:, None] / deviations[None, :], -1, 1)


def gaussian_nll_loss(
    input: T, target: T, var: T | float, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> T:
    """Without the check that no variance is negative."""
    if not isinstance(var, T) or reduction not in ("none", "mean", "sum"):
        return NotImplemented  # type: ignore[no-any-return]
    var = var.unsqueeze(-1) if var.shape != input.shape and input.shape[:-1] == var.shape else var
    var = torch.clamp(var, min=eps)
    loss = 0.5 * (torch.log(var) + (input - target) ** 2 / var) + (0.5 * math.log(2 * math.pi) if full else 0.0)
    return loss if reduction == "none" else loss.mean() if reduction == "mean" else loss.sum()


def linear_cross_entropy(*args: Any, options: Any = None, **kwargs: Any) -> T:
    """In one piece: torch's own goes through the rows in chunks to save memory."""
    if options is None:
        return NotImplemented  # type: ignore[no-any-return]
    return functional.linear_cross_entropy(*args, **kwargs)


def narrow(input: T, dim: int, start: int | T, length: int) -> T:
    """From a place that is data."""
    if not isinstance(start, T):
        return NotImplemented  # type: ignore[no-any-return]
    first = torch.where(start < 0, start + input.shape[dim], start).reshape(1)
    return input.index_select(dim, first + torch.arange(length))


def combinations(input: T, r: int = 2, with_replacement: bool = False) -> T:
    """Of a vector whose size is known: their places are known too."""
    if not isinstance(input.shape[0], int) or r == 0:
        return NotImplemented  # type: ignore[unused-ignore, no-any-return]
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = list(choose(range(input.shape[0]), r))
    if not places:
        return input.new_zeros((0, r))
    columns = [input[list(column)] for column in zip(*places, strict=True)]
    return torch.stack(columns, 1)


_TABLE: Mapping[Any, Callable[..., Any]] = {
    torch.cov: cov,
    torch.Tensor.cov: cov,
    torch.corrcoef: corrcoef,
    torch.Tensor.corrcoef: corrcoef,
    torch.narrow: narrow,
    torch.Tensor.narrow: narrow,
    torch.combinations: combinations,
    functional.gaussian_nll_loss: gaussian_nll_loss,
    **({functional.linear_cross_entropy: linear_cross_entropy} if hasattr(functional, "linear_cross_entropy") else {}),
}
