"""The benign rewrites: after them the model is the same, and no validator should alarm."""

from __future__ import annotations

from verdicts.rewrites import algebra, decompositions, exporters, optimizers, outside_tools, structure
from verdicts.rewrites.registry import REWRITES, Inapplicable, Origin, Rewrite, Rewritten, rewritten

__all__ = [
    "REWRITES",
    "Inapplicable",
    "Origin",
    "Rewrite",
    "Rewritten",
    "algebra",
    "decompositions",
    "exporters",
    "optimizers",
    "outside_tools",
    "rewritten",
    "structure",
]
