"""Targets: what kinds of runtime can load, and what the places they stand in allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from assay.specs.data import load_named, names
from assay.specs.operators import load_operator_classes, shape_operands


@dataclass(frozen=True)
class Reason:
    """Why a target has a limit, and where that can be read."""

    why: str
    references: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """A kind of runtime and its limits; None means that there is no such limit.

    ``opset`` and ``oldest_opset`` are by domain. ``model_bytes`` is the size of ``model.onnx``, ``initializer_bytes``
    that of all weights wherever they lie, ``nodes`` their number in the graph, its subgraphs and functions.
    ``forbidden`` gives the class of each operator that must not be there; ``constant_operands`` the operands that must
    be constants; ``dynamic_axes`` the names of axes that may be dynamic (None: any).
    """

    name: str
    description: str
    opset: Mapping[str, int]
    ir_version: int
    domains: frozenset[str]
    oldest_opset: Mapping[str, int] = field(default_factory=dict)
    dtypes: frozenset[str] = frozenset()
    model_bytes: int | None = None
    initializer_bytes: int | None = None
    nodes: int | None = None
    forbidden: Mapping[str, str] = field(default_factory=dict)
    constant_operands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dynamic_axes: frozenset[str] | None = None
    functions: bool = True
    reasons: Mapping[str, Reason] = field(default_factory=dict)


def target_names() -> tuple[str, ...]:
    """The names of all targets, sorted."""
    return names("targets")


@cache
def load_target(name: str) -> Target:
    """The target of this name; raises `UnknownNameError`, which names the known ones."""
    data = load_named("target", "targets", name)
    limits = {key: value for key, value in data.items() if key != "description"}
    return Target(
        name=name,
        description=data["description"],
        opset=data["opset"]["maximum"],
        oldest_opset=data["opset"]["minimum"],
        ir_version=data["ir_version"]["maximum"],
        domains=frozenset(data["domains"]["allowed"]),
        dtypes=frozenset(data["dtypes"]["allowed"]),
        **{key: limits[key]["maximum"] for key in ("model_bytes", "initializer_bytes", "nodes") if key in limits},
        forbidden=_forbidden(limits),
        constant_operands=shape_operands() if "shape_operands" in limits else {},
        dynamic_axes=frozenset(limits["dynamic_axes"]["allowed"]) if "dynamic_axes" in limits else None,
        functions=limits.get("functions", {"allowed": True})["allowed"],
        reasons={key: Reason(limit["why"], tuple(limit["references"])) for key, limit in limits.items()},
    )


def _forbidden(limits: Mapping[str, Any]) -> dict[str, str]:
    classes = limits.get("operators", {"forbidden": ()})["forbidden"]
    return {operator: name for name in classes for operator in load_operator_classes()[name].operators}
