"""A model of a library to convert: how it is built, with random weights that no output hides, and what it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from outcomes import Unjudgeable

from assay.converters.examples import trace_sizes, typical_feeds
from assay.converters.sources.base import Request
from assay.converters.sources.pytorch_module import ModuleSource
from assay.specs.interface import Interface
from pytorch_cases.case import Case, Feeds

_VISIBLE = 1e-4  # an output that is smaller says nothing of the model


@dataclass(frozen=True)
class ModelCase:
    """``inputs`` gives specifications by name; ``sizes`` are those of the dynamic axes off the traced ones.

    ``steps`` tells how often the outputs called ``present`` are fed back, the first time from nothing.
    """

    name: str
    build: Callable[[], torch.nn.Module]
    inputs: Callable[[], Mapping[str, str]]
    sizes: tuple[Mapping[str, int], ...] = ({"batch": 1}, {"batch": 3})
    steps: int = 0

    def opened(self) -> Case:
        """The case as the benchmark judges it; raises `Unjudgeable` where the library can't build or run it."""
        try:
            module, inputs = self.build(), self.inputs()
            source = ModuleSource(module, Request(self.name, inputs))
            trials = list(_trials(self, source))
            scale = max(float(np.std(np.asarray(value, np.float64))) for value in source.run(trials[0]).values())
        except Exception as error:
            raise Unjudgeable(f"{type(error).__name__}: {error}") from error
        if not scale > _VISIBLE:
            raise Unjudgeable(f"its outputs vary by {scale:.1e} only")
        return Case(self.name, lambda: module, inputs, lambda: trials)


def _trials(case: ModelCase, source: ModuleSource) -> Iterator[Feeds]:
    """Feeds of the traced sizes, then of others, then those of each step."""
    interface = Interface(source.inputs)
    traced = trace_sizes(interface)
    for seed, sizes in enumerate([{}, *case.sizes]):
        known = {name: size for name, size in sizes.items() if name in traced}
        if known or not sizes:
            yield _feeds(source, {**traced, **known}, seed)
    yield from _steps(case, source, traced)


def _feeds(source: ModuleSource, sizes: Mapping[str, int], seed: int) -> dict[str, np.ndarray]:
    """Typical values; a mask has its zeros on the right, as padding has, and none in the first row."""
    feeds = typical_feeds(source.inputs, sizes, seed)
    for name in (name for name in feeds if name.endswith("attention_mask")):
        length = feeds[name].shape[1]
        kept = np.maximum(1, length - 2 * np.arange(len(feeds[name])))
        feeds[name] = (np.arange(length) < kept[:, None]).astype(feeds[name].dtype)
    return feeds


def _steps(case: ModelCase, source: ModuleSource, traced: Mapping[str, int]) -> Iterator[Feeds]:
    """Each step takes what the source gave in the one before."""
    past: dict[str, np.ndarray] = {}
    for step in range(case.steps):
        sizes = {**traced, "past_sequence": 0, "sequence": 1 if step else 5}
        feeds = {**_feeds(source, sizes, step), **past}
        yield feeds
        given = source.run(feeds)
        past = {name.replace("present.", "past_key_values."): v for name, v in given.items() if "present." in name}


def named(cases: Sequence[ModelCase], name: str) -> Case:
    """The case of this name, opened."""
    return next(case for case in cases if case.name == name).opened()


def unit_gain(module: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """Give a model weights that keep the size of what passes, none of them zero, and put it into evaluation mode.

    Libraries begin heads, layer scales and the last norm of a block with zeros: a converted model that lost such a
    part would then be right all the same.
    """
    generator = torch.Generator().manual_seed(seed)
    drawn: set[int] = set()
    with torch.no_grad():
        for name, value in [*module.named_parameters(), *module.named_buffers()]:
            if value.is_floating_point() and id(value) not in drawn:
                drawn.add(id(value))
                _draw(name.rpartition(".")[2], value, generator, isinstance(value, torch.nn.Parameter))
    return module.eval()


def _draw(name: str, value: torch.Tensor, generator: torch.Generator, learned: bool) -> None:
    noise = torch.randn(value.shape, generator=generator)
    if name == "running_mean":
        value.copy_(0.1 * noise)
    elif name == "running_var":
        value.copy_(0.5 + torch.rand(value.shape, generator=generator))
    elif not learned:
        return  # tables of positions, masks, mel filters: computed, not learned
    elif value.ndim >= 2:
        value.copy_(noise / max(1.0, float(value[0].numel())) ** 0.5)
    elif "bias" in name:
        value.copy_(0.1 * noise)
    else:
        value.copy_(0.5 + torch.rand(value.shape, generator=generator))
