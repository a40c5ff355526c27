"""Batch normalisation by the statistics of the batch itself."""

from __future__ import annotations

import torch

from assay.converters.pytorch.lowerings.registry import decomposes

aten = torch.ops.aten


def _shaped(values: torch.Tensor | None, tensor: torch.Tensor) -> torch.Tensor | None:
    return None if values is None else values.reshape(1, -1, *(1 for _ in tensor.shape[2:]))


def _normalized(
    tensor: torch.Tensor,
    weight: torch.Tensor | None,
    bias: torch.Tensor | None,
    mean: torch.Tensor,
    rstd: torch.Tensor,
) -> torch.Tensor:
    center, scale = _shaped(mean, tensor), _shaped(rstd, tensor)
    assert center is not None
    assert scale is not None
    result = (tensor - center) * scale
    gain, shift = _shaped(weight, tensor), _shaped(bias, tensor)
    result = result if gain is None else result * gain
    return result if shift is None else result + shift


def _but_channels(tensor: torch.Tensor) -> list[int]:
    return [axis for axis in range(tensor.ndim) if axis != 1]


def _statistics(tensor: torch.Tensor, eps: float) -> tuple[torch.Tensor, torch.Tensor]:
    axes = _but_channels(tensor)
    mean = tensor.mean(axes)
    center = _shaped(mean, tensor)
    assert center is not None
    return mean, (tensor - center).square().mean(axes).add(eps).rsqrt()


@decomposes(aten.batch_norm.default, wrong_upstream=True)
def batch_norm(
    tensor: torch.Tensor,
    weight: torch.Tensor | None,
    bias: torch.Tensor | None,
    running_mean: torch.Tensor | None,
    running_var: torch.Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> torch.Tensor:
    """By the batch's own mean and variance in training, else by the running ones."""
    if training or running_mean is None or running_var is None:
        return _normalized(tensor, weight, bias, *_statistics(tensor, eps))
    inferring = aten._native_batch_norm_legit_no_training.default
    result: torch.Tensor = inferring(tensor, weight, bias, running_mean, running_var, momentum, eps)[0]
    return result


@decomposes(aten._native_batch_norm_legit.no_stats)
def native_batch_norm_without_statistics(
    tensor: torch.Tensor,
    weight: torch.Tensor | None,
    bias: torch.Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """By the batch's own mean and variance, which are given too."""
    mean, rstd = _statistics(tensor, eps)
    return _normalized(tensor, weight, bias, mean, rstd), mean, rstd


def _moved(running: torch.Tensor, seen: torch.Tensor, momentum: float) -> torch.Tensor:
    return running * (1 - momentum) + seen * momentum


@decomposes(aten.native_batch_norm.default, aten._native_batch_norm_legit.default, wrong_upstream=True)
def native_batch_norm(
    tensor: torch.Tensor,
    weight: torch.Tensor | None,
    bias: torch.Tensor | None,
    running_mean: torch.Tensor | None,
    running_var: torch.Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """With the batch's own statistics, which are empty where the running ones are used."""
    if training or running_mean is None or running_var is None:
        return native_batch_norm_without_statistics(tensor, weight, bias, training, momentum, eps)
    result = _normalized(tensor, weight, bias, running_mean, running_var.add(eps).rsqrt())
    return result, tensor.new_zeros(0), tensor.new_zeros(0)


@decomposes(aten._native_batch_norm_legit_functional.default, wrong_upstream=True)
def native_batch_norm_functional(
    tensor: torch.Tensor,
    weight: torch.Tensor | None,
    bias: torch.Tensor | None,
    running_mean: torch.Tensor,
    running_var: torch.Tensor,
    training: bool,
    momentum: float,
    eps: float,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """With what the running statistics become."""
    found = native_batch_norm(tensor, weight, bias, running_mean, running_var, training, momentum, eps)
    if not training:
        return (*found, running_mean.clone(), running_var.clone())
    variance = tensor.var(_but_channels(tensor), correction=1)
    return (*found, _moved(running_mean, found[1], momentum), _moved(running_var, variance, momentum))
