"""Recurrences as torch's ``scan``, which a graph says as one Scan node whatever the length; loops are unrolled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils import _pytree as pytree

_ASSOCIATIVE = "torch._higher_order_ops.associative_scan"
Place = tuple[Any, str]  # a module or class, and one of its attributes


@contextmanager
def replaced(attributes: Mapping[Place, Any]) -> Iterator[None]:
    """Attributes have other values meanwhile."""
    usual = {(owner, name): getattr(owner, name) for owner, name in attributes}
    for (owner, name), value in attributes.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for (owner, name), value in usual.items():
            setattr(owner, name, value)


def scan(step: Callable[..., Any], start: Any, sequences: Any, dim: int, reverse: bool = False) -> Any:
    """The last state and, along ``dim``, what each step gives; ``step(state, items)`` returns both."""
    from torch._higher_order_ops.scan import scan as torch_scan

    return torch_scan(step, start, sequences, dim=dim, reverse=reverse)


def sequential(
    combine: Callable[..., Any], sequences: Any, dim: int, reverse: bool = False, combine_mode: str = "pointwise"
) -> Any:
    """What ``associative_scan`` gives, one item after the other: torch.onnx has no other way to say it.

    The first item is told apart by a flag, not cut off, so that a sequence of one is no case of its own.
    """
    del combine_mode  # says how a kernel is built
    items = pytree.tree_map(lambda sequence: sequence.movedim(dim, 0), sequences)
    some = pytree.tree_leaves(items)[0]
    edge = some.shape[0] - 1 if reverse else 0
    flags = torch.arange(some.shape[0], device=some.device) == edge

    def step(state: Any, given: Any) -> Any:
        flag, item = given
        found = pytree.tree_map(lambda new, old: _dense(torch.where(flag, new, old)), item, combine(state, item))
        return found, pytree.tree_map(_dense, found)

    _, found = scan(step, pytree.tree_map(lambda item: _dense(item[0]), items), (flags, items), 0, reverse)
    return pytree.tree_map(lambda sequence: sequence.movedim(0, dim), found)


def _dense(tensor: torch.Tensor) -> torch.Tensor:
    """A copy without gaps: a state keeps its strides from step to step."""
    return tensor.clone(memory_format=torch.contiguous_format)


@contextmanager
def scans_in_order() -> Iterator[None]:
    """``associative_scan`` means `sequential` meanwhile."""
    from importlib import import_module

    with replaced({(import_module(_ASSOCIATIVE), "associative_scan"): sequential}):
        yield
