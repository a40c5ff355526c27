"""``package.module:callable``: a factory that the user names, and that is called only for that reason."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from assay.converters.sources.base import SourceError
from assay.specs.errors import brief

_IMPORT_STRING = re.compile(r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")


def is_import_string(text: str) -> bool:
    """Whether the text has the form ``package.module:callable``."""
    return _IMPORT_STRING.match(text) is not None


def resolve(text: str, folders: Sequence[Path] = ()) -> Any:
    """The object that an import string names; ``folders`` and the working directory are searched first."""
    module_name, _, attribute = text.partition(":")
    with _searching(folders):
        try:
            found: Any = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            raise SourceError(text, f"can't be imported: {error}") from error
        except (Exception, SystemExit) as error:
            raise SourceError(text, f"can't be imported: {type(error).__name__}: {brief(error)}") from error
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise SourceError(text, f"can't be found: {_missing(found, part)}")
        found = getattr(found, part)
    return found


def _missing(owner: Any, part: str) -> str:
    """Where the name is not, and the names there that are nearest to it."""
    place = getattr(owner, "__file__", None) or getattr(owner, "__qualname__", None) or type(owner).__qualname__
    near = get_close_matches(part, [name for name in dir(owner) if not name.startswith("_")])
    return f"{place} has no {part!r}" + (f", but has {', '.join(near)}" if near else "")


def call(text: str, folders: Sequence[Path] = ()) -> Any:
    """What the named callable returns; a thing that is no callable is returned as it is."""
    found = resolve(text, folders)
    if not _is_factory(found):
        return found
    with _searching(folders):
        try:
            return found()
        except (Exception, SystemExit) as error:
            raise SourceError(text, f"raised {type(error).__name__}: {brief(error)}") from error


def _is_factory(found: Any) -> bool:
    """A plain function, method or class is called; a model that is callable itself is the source."""
    return isinstance(found, type) or type(found).__name__ in {
        "function",
        "method",
        "builtin_function_or_method",
        "partial",
    }


# the modules that each list of folders brought: `model` in one folder is not `model` in another
_WORLDS: dict[tuple[str, ...], dict[str, ModuleType]] = {}


@contextmanager
def _searching(folders: Sequence[Path]) -> Iterator[None]:
    places = tuple(str(folder.resolve()) for folder in folders)
    with _world(places), _paths((*places, str(Path.cwd()))):
        yield


@contextmanager
def _world(places: tuple[str, ...]) -> Iterator[None]:
    """Modules of other worlds are out of sight while this one is searched; its own are in sight again."""
    own = _WORLDS.setdefault(places, {})
    for other in (modules for key, modules in _WORLDS.items() if key != places):
        for name in [name for name, module in other.items() if sys.modules.get(name) is module]:
            del sys.modules[name]
    sys.modules.update(own)
    try:
        yield
    finally:
        own.update({name: module for name, module in sys.modules.items() if _lies_in(module, places)})


def _lies_in(module: ModuleType, places: tuple[str, ...]) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and any(file.startswith(place + os.sep) for place in places)


@contextmanager
def _paths(added: tuple[str, ...]) -> Iterator[None]:
    saved = list(sys.path)
    sys.path[:0] = [folder for folder in added if folder not in saved]
    try:
        yield
    finally:
        for folder in added:
            if folder in sys.path and folder not in saved:
                sys.path.remove(folder)
