"""Classes of operators that targets forbid, and operands that fix a shape; all of the domain ai.onnx."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from assay.specs.data import PROFILE, load_yaml


@dataclass(frozen=True)
class OperatorClass:
    """Operators that share what a target may forbid."""

    name: str
    meaning: str
    operators: tuple[str, ...]
    references: tuple[str, ...] = ()


@cache
def load_operator_classes() -> dict[str, OperatorClass]:
    """All classes by name, in the order of the file."""
    return {
        entry["name"]: OperatorClass(
            entry["name"], entry["meaning"], tuple(entry["operators"]), tuple(entry["references"])
        )
        for entry in _data()["classes"]
    }


@cache
def shape_operands() -> Mapping[str, tuple[str, ...]]:
    """The operands of each operator, by their names in its schema, that say what size an output has."""
    return {operator: tuple(operands) for operator, operands in _data()["shape_operands"].items()}


@cache
def _data() -> Any:
    return load_yaml(PROFILE / "operators.yaml")
