"""The table of rewrites that leave the model the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from verdicts.models.registry import Architecture
from verdicts.subject import Subject


@dataclass(frozen=True)
class Origin:
    """What a rewrite may start from: the healthy model, its source, its architecture, and a folder to work in."""

    subject: Subject
    source: Any
    architecture: Architecture
    folder: Path
    tools_python: str | None = None


@dataclass(frozen=True)
class Rewritten:
    """A model that should be the same; ``external`` where its weights go into a file of their own."""

    label: str
    model: onnx.ModelProto
    external: bool = False


@dataclass(frozen=True)
class Rewrite:
    """A kind of rewrite: its id, a sentence, and what makes it; ``contract`` where the bundle's contract stays."""

    id: str
    says: str
    make: Callable[[Origin], Iterable[Rewritten]]
    contract: bool = True


class Inapplicable(Exception):
    """A tool that refuses or breaks the model: no case, and a line in the report."""


REWRITES: dict[str, Rewrite] = {}
Make = Callable[[Origin], Iterable[Rewritten]]


def rewrite(identity: str, says: str, contract: bool = True) -> Callable[[Make], Make]:
    """Register a rewrite; raises ValueError where the id is taken."""

    def register(make: Make) -> Make:
        if identity in REWRITES:
            raise ValueError(f"the rewrite {identity} is registered already, but should be registered once")
        REWRITES[identity] = Rewrite(identity, says, make, contract)
        return make

    return register


def rewritten(origin: Origin, chosen: Rewrite) -> Iterator[Rewritten]:
    """The rewrites of one kind that change the file at all."""
    healthy = origin.subject.model.SerializeToString()
    for made in chosen.make(origin):
        if made.external or made.model.SerializeToString() != healthy:
            yield made
