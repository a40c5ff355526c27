"""The graph that torch's translation gives, made smaller: constants folded, rules of onnxscript applied.

onnxscript's own driver tries each rule at each node, and one of its rules looks through the whole graph at each Slice,
which on a decoder of 22 layers took eleven of twenty-four seconds. Here a node meets the rules of its operator alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import onnx_ir as ir
from onnx_ir.passes import common
from onnxscript import optimizer, rewriter
from onnxscript.rewriter.rules.common import _no_op

_ROUNDS = 2


def optimize(model: ir.Model) -> None:
    """Make the graph smaller in place; what it computes stays the same."""
    common.InlinePass()(model)
    rules = rewriter.RewriteRuleSet([Dispatcher(exact_rules())])  # type: ignore[list-item]
    for _ in range(_ROUNDS):
        folded = optimizer.fold_constants_ir(model, onnx_shape_inference=True)
        rewritten = rules.apply_to_model(model)
        for cleaning in (common.RemoveUnusedNodesPass(), common.RemoveUnusedFunctionsPass()):
            cleaning(model)
        if not (folded.modified or rewritten):
            break
    for tidying in _TIDYING:
        tidying(model)


def exact_rules() -> list[Any]:
    """The rules of onnxscript without those that take ``x + 1e-9`` for ``x + 0``: they compare with a tolerance."""
    loose = {id(rule) for rule in _no_op.rules if _operator(rule) != "Dropout"}
    return [rule for rule in rewriter._DEFAULT_REWRITE_RULES if id(rule) not in loose]


def _operator(rule: Any) -> str:
    return str(rule._target_pattern.output_node.op)


_TIDYING = (
    common.RemoveUnusedOpsetsPass(),
    common.RemoveUnusedNodesPass(),
    common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0),
    common.LiftSubgraphInitializersToMainGraphPass(),
    common.DeduplicateInitializersPass(),
    common.CommonSubexpressionEliminationPass(),
    common.OutputFixPass(),
    common.NameFixPass(),
)


class Dispatcher:
    """Rules behind the interface of one: the first of those for a node's operator that applies.

    Rules that look for several nodes at once (two Slices that could be one Split) are left out: their search takes time
    that grows with the square of the graph, and what they give runs no faster.
    """

    as_function = False

    def __init__(self, rules: Sequence[Any]) -> None:
        self.name: str | None = None
        self.remove_nodes = False
        self._rules = [rule for rule in rules if rule._target_pattern.has_single_output_node]
        self._by_operator: dict[str, list[Any]] = defaultdict(list)
        for rule in self._rules:
            self._by_operator[_operator(rule)].append(rule)

    def graph_pre_visitor(self) -> None:
        """What the rules do before they see a graph."""
        for rule in self._rules:
            if rule.graph_pre_visitor:
                rule.graph_pre_visitor()

    def graph_post_visitor(self) -> None:
        """What the rules do after they saw it."""
        for rule in self._rules:
            if rule.graph_post_visitor:
                rule.graph_post_visitor()

    def try_rewrite(self, model: ir.Model, graph: Any, node: ir.Node, **options: Any) -> Any:
        """What the first rule that applies here puts in place of the node, or None; name and habits are then its."""
        for rule in self._by_operator.get(node.op_type, ()):
            replacement = rule.try_rewrite(model, graph, node, **options)
            if replacement is not None:
                self.name, self.remove_nodes = rule.name, rule.remove_nodes
                return replacement
        return None
