"""One PyTorch model to convert, and the inputs on which it is judged.

A part of the benchmark is a module of this package with two functions: ``names(samples)`` gives the names of its cases,
in a fixed order and without building them, and ``case(name)`` builds one, or raises `Unjudgeable` with the reason.
``samples`` is how many examples an entry gives at most (None: all); a part whose cases have no examples ignores it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from assay.specs.interface import TensorSpec

Feeds = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """A module by its factory, and what it takes.

    ``inputs`` are specifications by input name, as the command line takes them (``float32[batch=2,3]``) or opened; an
    axis with a name is dynamic. ``trials`` gives the feeds to judge on: first those of the traced sizes, then those of
    others.
    """

    name: str
    module: Callable[[], torch.nn.Module]
    inputs: Mapping[str, str | TensorSpec]
    trials: Callable[[], Sequence[Feeds]]


class Part(Protocol):
    """What a part's module has."""

    def names(self, samples: int | None) -> Sequence[str]:
        """The names of its cases."""
        ...

    def case(self, name: str) -> Case:
        """The case of this name."""
        ...
