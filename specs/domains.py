"""Domains: fields of use, the tasks of each, and what a certification has to watch there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from assay.specs.data import PROFILE, UnknownNameError, load_yaml


@dataclass(frozen=True)
class Domain:
    """A field of use; ``tasks`` are names of tasks of this profile."""

    name: str
    title: str
    description: str
    tasks: tuple[str, ...]
    example: str
    risks: tuple[str, ...]

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Domain:
        """The domain that one entry of ``domains.yaml`` states."""
        return cls(**{**data, "tasks": tuple(data["tasks"]), "risks": tuple(data["risks"])})


@cache
def load_domains() -> dict[str, Domain]:
    """All domains by name, in the order of the file."""
    return {entry["name"]: Domain.from_data(entry) for entry in load_yaml(PROFILE / "domains.yaml")}


def domain(name: str) -> Domain:
    """The domain of this name; raises `UnknownNameError`."""
    try:
        return load_domains()[name]
    except KeyError:
        raise UnknownNameError("domain", name, tuple(load_domains())) from None
