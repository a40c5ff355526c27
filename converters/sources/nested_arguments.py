"""Arguments of ``forward`` from flat inputs: ``past.0.key`` is the entry ``key`` of the first item of ``past``."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any


def root(name: str) -> str:
    """The parameter of ``forward`` that an input of this name belongs to."""
    return name.partition(".")[0]


def nested(flat: Mapping[str, Any], forward: Callable[..., Any]) -> dict[str, Any]:
    """Keyword arguments for ``forward``: numbers in a name become lists, words dictionaries.

    Where ``forward`` annotates a parameter with a tuple, a named tuple or a dataclass, it gets that. An item of a list
    that no input is for is None.
    """
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *parents, leaf = name.split(".")
        place = tree
        for parent in parents:
            place = place.setdefault(parent, _Branch())
        place[leaf] = value
    hints = _hints(forward)
    return {name: _shaped(value, hints.get(name)) for name, value in tree.items()}


class _Branch(dict[str, Any]):
    """A part of the tree that names made, told apart from a dictionary that is itself a value."""


def _hints(forward: Callable[..., Any]) -> Mapping[str, Any]:
    try:
        return typing.get_type_hints(inspect.unwrap(forward))
    except (NameError, TypeError, AttributeError):  # names that exist for type checkers alone
        return {}


def _shaped(value: Any, hint: Any) -> Any:
    if not isinstance(value, _Branch):
        return value
    hint = _without_none(hint)
    if isinstance(hint, type) and (dataclasses.is_dataclass(hint) or hasattr(hint, "_fields")):
        kinds = _hints(hint)
        return hint(**{key: _shaped(item, kinds.get(key)) for key, item in value.items()})
    if all(key.isdecimal() for key in value):
        return _sequence(value, hint)
    (kind, *_), origin = (*typing.get_args(hint)[1:], None), typing.get_origin(hint)
    entry = kind if isinstance(origin, type) and issubclass(origin, Mapping) else None
    return {key: _shaped(item, entry) for key, item in value.items()}


def _sequence(value: _Branch, hint: Any) -> Any:
    origin, kinds = typing.get_origin(hint) or hint, typing.get_args(hint)
    size = 1 + max(map(int, value))
    items = [_shaped(value.get(str(index)), _of_item(kinds, index)) for index in range(size)]
    return tuple(items) if origin is tuple else items


def _of_item(kinds: tuple[Any, ...], index: int) -> Any:
    """The annotation of one item: ``list[A]`` and ``tuple[A, ...]`` say it once, ``tuple[A, B]`` for each."""
    if not kinds:
        return None
    if len(kinds) == 1 or Ellipsis in kinds:
        return kinds[0]
    return kinds[index] if index < len(kinds) else None


def _without_none(hint: Any) -> Any:
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return hint
    kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)]
    return kinds[0] if len(kinds) == 1 else None
