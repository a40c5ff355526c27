"""Casts where an operator of torch takes several types at once, which no operator of ONNX does."""

from __future__ import annotations

from typing import Any

import torch
from torch.onnx._internal.fx.passes import type_promotion
from torch.utils import _pytree as pytree

# in these types torch computes what they hold; in narrower ones some operators compute in float32
_WIDE = (torch.float32, torch.float64)


def promote(graph_module: torch.fx.GraphModule) -> None:
    """Insert the casts in place."""
    for module in graph_module.modules():
        assert isinstance(module, torch.fx.GraphModule)
        if any(_may_promote(node) for node in module.graph.nodes):
            insertion = type_promotion.InsertTypePromotion(module)
            insertion.interpreter = _Sparing(module, insertion.interpreter.type_promotion_table)
            insertion.run()


class _Sparing(type_promotion._TypePromotionInterpreter):
    """Torch's own, which computes the shape of each node anew; here of those alone that may get a cast."""

    def run_node(self, n: torch.fx.Node) -> Any:
        """The value that stands for the node's result."""
        if n.op in ("output", "get_attr") or _may_promote(n) or "val" not in n.meta:
            return super().run_node(n)
        return n.meta["val"]


def _may_promote(node: torch.fx.Node) -> bool:
    """Whether arguments differ in type; where all tensors are of one floating type, numbers take that type too."""
    if node.op != "call_function" or not isinstance(node.target, torch._ops.OpOverload):
        return False
    flat = pytree.tree_leaves((node.args, node.kwargs))
    values = [item.meta.get("val") if isinstance(item, torch.fx.Node) else item for item in flat]
    dtypes = {value.dtype for value in values if isinstance(value, torch.Tensor)}
    return len(dtypes) != 1 or not dtypes.issubset(_WIDE) or any(isinstance(value, complex) for value in values)
