"""A module called with its inputs one by one, each a tensor, and giving its outputs so: what a graph's interface is."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from assay.converters.sources.pytorch_module import ModuleSource
from assay.converters.sources.torch_runner import flat_outputs

_Call = tuple[tuple[Any, ...], dict[str, Any]]


@contextmanager
def flat_call(source: ModuleSource, tensors: Sequence[torch.Tensor]) -> Iterator[_Call]:
    """The arguments that the module takes meanwhile: one tensor an input; its outputs come as one flat tuple."""
    with source.adapter.exporting(source.module, source.inputs), flat_outputs(source):
        if source.is_flat:
            yield source.arguments(tensors)
        else:
            with _flat_forward(source):
                yield tuple(tensors), {}


@contextmanager
def _flat_forward(source: ModuleSource) -> Iterator[None]:
    """Names of values come from the signature of ``forward``, so it says those of the inputs."""
    module, original = source.module, source.module.forward
    own = "forward" in vars(module)

    def forward(*values: Any) -> Any:
        args, kwargs = source.arguments(values)
        return original(*args, **kwargs)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = [re.sub(r"\W", "_", spec.name) for spec in source.inputs]
    forward.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])  # type: ignore[attr-defined]
    module.forward = forward
    try:
        yield
    finally:
        del module.forward
        if own:
            module.forward = original
