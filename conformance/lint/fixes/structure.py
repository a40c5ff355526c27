"""Nodes, functions and opset imports that nothing needs."""

from __future__ import annotations

from onnx_ir.passes.common import (
    IdentityEliminationPass,
    InlinePass,
    LiftConstantsToInitializersPass,
    RemoveUnusedFunctionsPass,
    RemoveUnusedNodesPass,
    RemoveUnusedOpsetsPass,
    TopologicalSortPass,
)

from assay.conformance.lint.fixes.registry import Draft


def remove_unused(draft: Draft) -> None:
    """Nodes, weights, functions and opset imports that no output depends on."""
    RemoveUnusedNodesPass()(draft.model)
    RemoveUnusedFunctionsPass()(draft.model)
    RemoveUnusedOpsetsPass()(draft.model)


def remove_identities(draft: Draft) -> None:
    """Identity nodes between values that need no copy."""
    IdentityEliminationPass()(draft.model)


def lift_constants(draft: Draft) -> None:
    """Large Constant nodes become initializers."""
    LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=1024)(draft.model)


def inline_functions(draft: Draft) -> None:
    """Local functions become the nodes that they stand for."""
    InlinePass()(draft.model)
    RemoveUnusedOpsetsPass()(draft.model)


def sort_nodes(draft: Draft) -> None:
    """Every node after those that it reads from."""
    TopologicalSortPass()(draft.model)
