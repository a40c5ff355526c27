"""Roles: what inputs and outputs are for, and what a probe may do with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from assay.specs.data import PROFILE, UnknownNameError, load_yaml


@dataclass(frozen=True)
class Role:
    """What an input or output is for; ``probes`` may be tried on it, what is in ``never`` no real caller feeds."""

    name: str
    side: Literal["input", "output", "both"]
    values: str
    meaning: str
    probes: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


@cache
def load_roles() -> dict[str, Role]:
    """All roles by name, in the order of the file."""
    return {entry["role"]: _role(entry) for entry in _data()["roles"]}


def role(name: str) -> Role:
    """The role of this name; raises `UnknownNameError`."""
    try:
        return load_roles()[name]
    except KeyError:
        raise UnknownNameError("role", name, tuple(load_roles())) from None


def kinds_of_values() -> Mapping[str, str]:
    """What a role's ``values`` may be, with its meaning."""
    return dict(_data()["values"])


def kinds_of_probes() -> Mapping[str, str]:
    """What a role's ``probes`` may be, with what each does."""
    return dict(_data()["probes"])


def _role(entry: Mapping[str, Any]) -> Role:
    lists = {key: tuple(entry.get(key, ())) for key in ("probes", "never")}
    return Role(entry["role"], entry["side"], entry["values"], entry["meaning"], **lists)


@cache
def _data() -> Any:
    return load_yaml(PROFILE / "roles.yaml")
