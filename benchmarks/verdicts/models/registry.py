"""The table of healthy models, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Factory = Callable[[], Any]


@dataclass(frozen=True)
class Architecture:
    """A healthy model: its framework, the factory of its source (a live object), and its inputs as Assay takes them."""

    name: str
    framework: str
    factory: Factory
    inputs: Mapping[str, str]
    outputs: tuple[str, ...] | None = None
    task: str = "generic"
    exporter: str | None = None


MODELS: dict[str, Architecture] = {}


def model(
    name: str,
    framework: str,
    inputs: Mapping[str, str],
    outputs: tuple[str, ...] | None = None,
    task: str = "generic",
    exporter: str | None = None,
) -> Callable[[Factory], Factory]:
    """Register the factory of a healthy model; raises ValueError where the name is taken."""

    def register(factory: Factory) -> Factory:
        if name in MODELS:
            raise ValueError(f"the model {name} is registered already, but should be registered once")
        MODELS[name] = Architecture(name, framework, factory, inputs, outputs, task, exporter)
        return factory

    return register
