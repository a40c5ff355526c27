"""Weights of the Keras models: no variable stays at its default."""

from __future__ import annotations

from typing import Any

import numpy as np


def randomised(model: Any, seed: int) -> Any:
    """The model with random biases, scales and moving statistics; the same for the same seed."""
    generator = np.random.default_rng(seed)
    for variable in model.variables:
        if variable.dtype == "float32":
            variable.assign(_values(variable.name, tuple(variable.shape), generator))
    return model


def _values(name: str, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    if "variance" in name:
        return generator.uniform(0.3, 2.0, shape).astype(np.float32)
    if "gamma" in name:
        return generator.uniform(0.6, 1.5, shape).astype(np.float32)
    if len(shape) < 2 or "bias" in name:
        return generator.normal(0.0, 0.3, shape).astype(np.float32)
    bound = (3 / max(int(np.prod(shape[:-1])), 1)) ** 0.5
    return generator.uniform(-bound, bound, shape).astype(np.float32)
