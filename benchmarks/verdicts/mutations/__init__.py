"""The mutations: one function a kind of defect, registered under its id in the catalogue of defects."""

from __future__ import annotations

from verdicts.mutations import (
    activations,
    attention,
    interface,
    numerics,
    packaging,
    precision,
    randomness,
    shapes,
    spatial,
    weights,
)
from verdicts.mutations.registry import MUTATIONS, Edit, Mutant, Mutation, mutants

__all__ = [
    "MUTATIONS",
    "Edit",
    "Mutant",
    "Mutation",
    "activations",
    "attention",
    "interface",
    "mutants",
    "numerics",
    "packaging",
    "precision",
    "randomness",
    "shapes",
    "spatial",
    "weights",
]
