"""What an adapter of a kind of model consists of; each part has a default that changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from assay.converters.sources.base import Source
from assay.specs.interface import TensorSpec

Arguments = dict[str, Any]


def _same_arguments(_module: torch.nn.Module, flat: Mapping[str, Any]) -> Arguments:
    return dict(flat)


def _same_results(_module: torch.nn.Module, _inputs: frozenset[str], results: Any) -> Any:
    return results


def _no_changes(_module: torch.nn.Module, _inputs: Sequence[TensorSpec]) -> AbstractContextManager[None]:
    return nullcontext()


def _no_reason(_source: Source) -> str | None:
    return None


@dataclass(frozen=True)
class Adapter:
    """How a kind of model is run and exported.

    ``takes`` tells of each root of an input's name that is no parameter of ``forward`` whether ``arguments`` knows it.
    ``arguments`` makes keyword arguments (whose names may still be dotted) of flat inputs, ``results`` something that
    `flatten` takes of what the model gives; both are what the reference is run with too. ``exporting`` holds while
    the model is traced with these inputs, and must change no value. ``exporter`` names the exporter that is right for
    the kind, None where it is the native one; ``refusal`` is why no graph would be right.
    """

    name: str
    takes: frozenset[str] = frozenset()
    arguments: Callable[[torch.nn.Module, Mapping[str, Any]], Arguments] = _same_arguments
    results: Callable[[torch.nn.Module, frozenset[str], Any], Any] = _same_results
    exporting: Callable[[torch.nn.Module, Sequence[TensorSpec]], AbstractContextManager[None]] = _no_changes
    exporter: str | None = None
    refusal: Callable[[Source], str | None] = _no_reason


PLAIN = Adapter("plain")
