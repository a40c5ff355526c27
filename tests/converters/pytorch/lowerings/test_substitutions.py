"""The functions that stand in for torch's while a model is traced give what those give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn import functional

from assay.converters.pytorch.lowerings import substitutions

X = torch.tensor([[1.0, 2.0, 4.0], [0.5, -1.0, 3.0]])
WEIGHTS = {"fweights": torch.tensor([1, 2, 1]), "aweights": torch.tensor([0.5, 1.0, 2.0])}


@pytest.mark.parametrize(
    ("own", "torchs", "args", "kwargs"),
    [
        (substitutions.cov, torch.cov, (X,), {}),
        (substitutions.cov, torch.cov, (X[0],), {"correction": 0}),
        (substitutions.cov, torch.cov, (X,), WEIGHTS),
        (substitutions.corrcoef, torch.corrcoef, (X,), {}),
        (substitutions.gaussian_nll_loss, functional.gaussian_nll_loss, (X, X + 1, X.abs()), {"full": True}),
        (
            substitutions.gaussian_nll_loss,
            functional.gaussian_nll_loss,
            (X, X + 1, X[:, 0].abs()),
            {"reduction": "sum"},
        ),
        (substitutions.narrow, torch.narrow, (X, 1, torch.tensor(-2), 2), {}),
        (substitutions.combinations, torch.combinations, (X[0], 2), {"with_replacement": True}),
    ],
)
def test_a_substitution_gives_what_torch_gives(
    own: Callable[..., torch.Tensor], torchs: Callable[..., torch.Tensor], args: Any, kwargs: Any
) -> None:
    torch.testing.assert_close(own(*args, **kwargs), torchs(*args, **kwargs))


def test_a_call_that_needs_no_substitution_stays() -> None:
    with substitutions.Substitution():
        assert torch.equal(torch.narrow(X, 1, 0, 2), X[:, :2])
    assert substitutions.narrow(X, 1, 0, 2) is NotImplemented
