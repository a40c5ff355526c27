"""What a call was given, however its arguments were written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch


def argument(node: torch.fx.Node, index: int, name: str, default: Any = None) -> Any:
    """An argument of a call by its place or by its name."""
    return node.args[index] if len(node.args) > index else node.kwargs.get(name, default)


def each(sizes: Sequence[int] | int, count: int) -> list[int]:
    """A size for each of so many axes, where one may stand for all."""
    listed = [sizes] if isinstance(sizes, int) else list(sizes)
    return listed * count if len(listed) == 1 else listed
