"""Models of transformers: caches of keys and values as flat inputs and outputs, arguments that say what to give."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from assay.converters.pytorch.adapters.adapter import Adapter, Arguments
from assay.converters.pytorch.adapters.transformers_caches import PAST, cache_of, is_cache, past_layers, tensors_of
from assay.converters.pytorch.adapters.transformers_recurrences import recurrences
from assay.converters.pytorch.adapters.transformers_windows import windows
from assay.specs.interface import TensorSpec

# the parameter that takes a cache, by the versions of transformers
_CACHES = ("cache", "past_key_values")


def arguments(module: torch.nn.Module, flat: Mapping[str, Any]) -> Arguments:
    """A cache of what is called ``past_key_values.…``; without one the model is told to keep none."""
    parameters = inspect.signature(type(module).forward).parameters
    past = {name: value for name, value in flat.items() if name.startswith(f"{PAST}.")}
    call = {name: value for name, value in flat.items() if name not in past}
    if past:
        name = next(name for name in _CACHES if name in parameters)
        call[name] = cache_of(past_layers(past))
    if "use_cache" in parameters:
        call["use_cache"] = bool(past)
    if "return_dict" in parameters:
        call["return_dict"] = True
    return call


def results(_module: torch.nn.Module, inputs: frozenset[str], given: Any) -> Any:
    """A cache as ``present.…``, last of all, where the model was given one; else no cache."""
    if not isinstance(given, Mapping):
        return given
    plain = {name: value for name, value in given.items() if not is_cache(value)}
    caches = [value for value in given.values() if is_cache(value)]
    if not caches or not any(name.startswith(f"{PAST}.") for name in inputs):
        return plain
    return {**plain, **tensors_of(caches[0], "present")}


@contextmanager
def exporting(module: torch.nn.Module, inputs: Sequence[TensorSpec]) -> Iterator[None]:
    """What transformers itself changes in its models before it exports them, and what it remembers between calls."""
    from transformers.exporters.exporter_dynamo import reset_model_state
    from transformers.exporters.utils import apply_patches

    with (
        apply_patches("dynamo"),
        reset_model_state(module),
        _experts(module, "batched_mm"),
        recurrences(),
        windows(module, inputs),
    ):
        yield


@contextmanager
def _experts(module: torch.nn.Module, implementation: str) -> Iterator[None]:
    """Experts chosen by indexing, which graphs can say; the usual one calls an operator of transformers' own."""
    parts: Iterator[Any] = module.modules()
    models = [part for part in parts if getattr(part, "_can_set_experts_implementation", lambda: False)()]
    usual = [model.get_experts_implementation() for model in models]
    for model in models:
        model.set_experts_implementation(implementation)
    try:
        yield
    finally:
        for model, name in zip(models, usual, strict=True):
            model.set_experts_implementation(name)


ADAPTER = Adapter("transformers", frozenset({PAST}), arguments, results, exporting)
