"""Nodes and weights that no output depends on leave the graph, and unused domains; inputs stay, whatever uses them."""

from __future__ import annotations

import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedFunctionsPass, RemoveUnusedNodesPass, RemoveUnusedOpsetsPass

from assay.converters.passes.context import PassContext


def remove_unused_nodes(model: ir.Model, _context: PassContext) -> None:
    """Remove in place."""
    RemoveUnusedNodesPass()(model)
    RemoveUnusedFunctionsPass()(model)
    RemoveUnusedOpsetsPass()(model)
