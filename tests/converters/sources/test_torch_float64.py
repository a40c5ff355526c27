"""A PyTorch model's twin is in float64 throughout, and its moved twins are still the same model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch
import torch_models

from assay.converters.sources import open_source

X = np.random.default_rng(0).standard_normal((3, 6)).astype(np.float32)
SPEC = {"x": "float32[batch,6]"}


class Stubborn(torch.nn.Module):
    """Names float32 wherever code can."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = torch.nn.Linear(6, 6)
        self.constant = torch.randn(6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.linear(x).float() * torch.arange(6, dtype=torch.float32) + self.constant
        result: torch.Tensor = y / (y.to(torch.float32).pow(2).mean(-1, keepdim=True) + 1e-6).sqrt()
        return result


def by_hand(model: Stubborn) -> np.ndarray:
    weight, bias = (p.detach().numpy().astype(np.float64) for p in (model.linear.weight, model.linear.bias))
    y = (X @ weight.T + bias) * np.arange(6) + model.constant.numpy()
    result: np.ndarray = y / np.sqrt((y**2).mean(-1, keepdims=True) + 1e-6)
    return result


def exported(model: torch.nn.Module) -> Any:
    return torch.export.export(model, (torch.from_numpy(X),), dynamic_shapes={"x": {0: torch.export.Dim("batch")}})


@pytest.mark.parametrize(
    "form",
    [lambda model: model, exported, torch.jit.script, lambda model: torch.jit.freeze(torch.jit.script(model.eval()))],
    ids=["module", "exported program", "TorchScript", "frozen TorchScript"],
)
def test_code_that_names_float32_runs_in_float64(form: Callable[[torch.nn.Module], Any]) -> None:
    model = Stubborn()
    twin = open_source(form(model), SPEC).exact()
    assert twin is not None
    (y,) = twin.run({"x": X}).values()
    assert y.dtype == np.float64
    assert list(twin.kept) == []
    np.testing.assert_allclose(y, by_hand(model), rtol=1e-13, atol=1e-14)


def test_an_update_in_place_is_not_lost() -> None:
    class Updated(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            z = torch.zeros(x.shape)
            z[:, 2:4] += x[:, :2] * 0.1
            return z

    twin = open_source(Updated(), SPEC).exact()
    assert twin is not None
    (y,) = twin.run({"x": X}).values()
    np.testing.assert_allclose(y[:, 2:4], X[:, :2].astype(np.float64) * 0.1, rtol=1e-15)


@torch.library.custom_op("assay_tests::doubled_in_single", mutates_args=(), schema="(Tensor x) -> Tensor")
def doubled_in_single(x: torch.Tensor) -> torch.Tensor:
    if x.dtype is not torch.float32:
        raise RuntimeError("takes float32 alone")
    return x * 2


def test_an_operation_without_a_float64_kernel_is_named() -> None:
    class Single(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y: torch.Tensor = doubled_in_single(x * 0.3)
            return y * 0.7

    twin = open_source(Single(), SPEC).exact()
    assert twin is not None
    (y,) = twin.run({"x": X}).values()
    assert y.dtype == np.float64
    assert list(twin.kept) == ["doubled_in_single"]
    np.testing.assert_allclose(y, X * 0.3 * 2 * 0.7, rtol=1e-6)


def test_torch_is_left_as_it_was() -> None:
    twin = open_source(torch_models.encoder(), SPEC).exact()
    assert twin is not None
    with pytest.raises(RuntimeError):
        twin.run({"x": X[:, :5]})
    assert torch.get_default_dtype() is torch.float32
    assert (torch.ones(2) * 0.1).dtype is torch.float32


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_a_half_model_is_judged_at_its_own_precision(dtype: torch.dtype) -> None:
    name = str(dtype).removeprefix("torch.")
    kind = np.float16 if name == "float16" else ml_dtypes.bfloat16
    source = open_source(torch_models.encoder().to(dtype), {"x": f"{name}[batch,6]"})
    feeds = {"x": X.astype(kind)}
    twin, moved = source.exact(), source.perturbed(0)
    assert twin is not None
    assert moved is not None
    plain, exact, perturbed = source.run(feeds), twin.run(feeds), moved.run(feeds)
    for output, value in plain.items():
        assert value.dtype == kind
        assert exact[output].dtype == np.float64
        unit = float(torch.finfo(dtype).eps)
        for other in (exact, perturbed):
            error = np.abs(other[output].astype(np.float64) - value.astype(np.float64)).max()
            assert 0 < error < 20 * unit


def test_ties_are_broken_otherwise_by_some_wavering_twin() -> None:
    class Tied(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(x).argmax(-1)

    source = open_source(Tied(), SPEC)
    feeds = {"x": np.array([[-1, -1, -1, -1, -1, -1], [0, 0, 9, 0, 0, 0]], np.float32)}
    twins = [source.wavering(seed) for seed in range(8)]
    picks = np.array([next(iter(twin.run(feeds).values())) for twin in twins if twin is not None])
    assert len(set(picks[:, 0])) > 1
    assert set(picks[:, 1]) == {2}


def test_a_threshold_on_an_exact_number_does_not_waver() -> None:
    class Exact(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.round(x) + (x > 0.5)

    source = open_source(Exact(), SPEC)
    feeds = {"x": np.full((1, 6), 0.5, np.float32)}
    twins = [source.wavering(seed) for seed in range(8)]
    assert all(np.allclose(next(iter(twin.run(feeds).values())), 0) for twin in twins if twin is not None)
