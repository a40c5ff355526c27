"""Targets: what kinds of runtime can load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from assay.specs.data import load_named, names


@dataclass(frozen=True)
class Target:
    """A kind of runtime: the newest opset by domain and IR version that it loads, and the domains it knows."""

    name: str
    description: str
    opset: Mapping[str, int]
    ir_version: int
    domains: frozenset[str]


def target_names() -> tuple[str, ...]:
    """The names of all targets, sorted."""
    return names("targets")


@cache
def load_target(name: str) -> Target:
    """The target of this name; raises `UnknownNameError`, which names the known ones."""
    data = load_named("target", "targets", name)
    return Target(name, data["description"], data["opset"], data["ir_version"], frozenset(data["domains"]))
