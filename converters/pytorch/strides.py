"""Programs free of what the strides of one kernel allowed."""

from __future__ import annotations

import torch

_VIEW, _RESHAPE = torch.ops.aten.view.default, torch.ops.aten.reshape.default


def without_views(program: torch.export.ExportedProgram) -> torch.export.ExportedProgram:
    """The program with each ``view`` a ``reshape``, in place.

    A view was possible for the strides that an operator's kernel gave when it was traced; those that its decomposition
    gives may not allow it (T5's attention), and a graph has no strides.
    """
    for module in program.graph_module.modules():
        if isinstance(module, torch.fx.GraphModule):
            for node in module.graph.find_nodes(op="call_function", target=_VIEW):
                node.target = _RESHAPE
    return program
