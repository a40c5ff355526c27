"""What the user gives to compare: each a source or a ready model, and the names that tell them apart."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assay.conformance.bench import short_names
from assay.converters.exporter import exporters_of
from assay.converters.sources.base import SourceError
from assay.converters.sources.detection import kind_of, with_signature
from assay.converters.sources.import_string import is_import_string

_MODEL_KINDS = ("onnx", "bundle")


@dataclass(frozen=True)
class Subject:
    """One thing to compare; ``given`` is a path or import string as text, or a live object.

    ``kind`` is the kind of the file (``import string`` or ``object`` where it is none), None where there is a fault.
    """

    name: str
    given: Any
    kind: str | None
    fault: str | None = None

    @property
    def is_model(self) -> bool:
        """Whether it is ONNX already, and so is judged as it is."""
        return self.kind in _MODEL_KINDS

    @property
    def text(self) -> str:
        """What the user gave, as text."""
        return self.given if isinstance(self.given, str) else self.name


@dataclass(frozen=True)
class Entry:
    """One row of the comparison: a subject, and the exporter that converts it (None: the source's own)."""

    name: str
    subject: Subject
    exporter: str | None = None
    fault: str | None = None


def subjects_of(given: Sequence[Any] | Mapping[str, Any]) -> list[Subject]:
    """The subjects under names of their own: those of a mapping, else as short as tells them apart."""
    if isinstance(given, Mapping):
        return [replace(_subject(value), name=name) for name, value in given.items()]
    subjects = [_subject(value) for value in given]
    paths = list(dict.fromkeys(Path(subject.given).resolve() for subject in subjects if _is_path(subject)))
    short = dict(zip(paths, short_names(paths), strict=True)) if paths else {}
    names = [short[Path(s.given).resolve()] if _is_path(s) else s.name for s in subjects]
    return [replace(subject, name=name) for subject, name in zip(subjects, numbered(names), strict=True)]


def is_same(one: Any, other: Any) -> bool:
    """Whether two things given are the same object, the same import string, or the same file."""
    a, b = (_subject(value) for value in (one, other))
    if a.given is b.given or not (isinstance(a.given, str) and isinstance(b.given, str)):
        return a.given is b.given
    return a.given == b.given or (_is_path(a) and _is_path(b) and Path(a.given).resolve() == Path(b.given).resolve())


def numbered(names: Sequence[str]) -> list[str]:
    """Each name once: those that are there twice get a number that nobody has."""
    counts, taken, told = Counter(names), set(names), []
    for name in names:
        number = 1
        while counts[name] > 1 and f"{name} ({number})" in taken:
            number += 1
        told.append(f"{name} ({number})" if counts[name] > 1 else name)
        taken.add(told[-1])
    return told


def entries_of(subject: Subject, exporters: Sequence[str], opened: tuple[str, str] | None, alone: bool) -> list[Entry]:
    """The rows of a subject: itself where it is a model, else one for each exporter that takes such sources.

    ``exporters`` may be ``all``; ``opened`` is framework and kind of the source, which are known once it was opened;
    ``alone`` says that no other subject has exporters, so that theirs are names enough.
    """
    if subject.fault or subject.is_model or not exporters or opened is None:
        return [Entry(subject.name, subject, fault=subject.fault)]
    fitting = exporters_of(*opened)
    chosen = fitting if "all" in exporters else tuple(name for name in exporters if name in fitting)
    if not chosen:
        fault = f"is a {opened[0]} model, which none of the exporters asked for takes; {', '.join(fitting)} do"
        return [Entry(subject.name, subject, fault=fault)]
    return [Entry(name if alone else f"{subject.name}, {name}", subject, name) for name in chosen]


def _subject(value: Any) -> Subject:
    if hasattr(value, "path") and hasattr(value, "model"):  # a Bundle
        value = value.path
    if not isinstance(value, str | os.PathLike):
        return Subject(type(value).__qualname__, value, "object")
    text = os.fspath(value)
    if is_import_string(text) and not Path(text).exists():
        return Subject(text, text, "import string")
    try:
        return Subject(text, text, kind_of(Path(with_signature(text)[0])))
    except SourceError as error:
        return Subject(text, text, None, error.reason)


def _is_path(subject: Subject) -> bool:
    return isinstance(subject.given, str) and subject.kind != "import string"
