"""Passes from a raw ONNX graph to one in the profile, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable

import onnx_ir as ir

from assay.converters.passes.context import PassContext
from assay.converters.passes.lower_erfc import lower_erfc
from assay.converters.passes.name_dynamic_axes import name_dynamic_axes
from assay.converters.passes.name_inputs_and_outputs import name_inputs_and_outputs
from assay.converters.passes.record_source_lines import record_source_lines
from assay.converters.passes.record_source_settings import record_source_settings
from assay.converters.passes.refuse_unknown_attributes import refuse_unknown_attributes
from assay.converters.passes.refuse_unknown_operators import refuse_unknown_operators
from assay.converters.passes.remove_unused_nodes import remove_unused_nodes
from assay.converters.passes.stamp_metadata import stamp_metadata
from assay.converters.passes.write_split_sizes import write_split_sizes

Pass = Callable[[ir.Model, PassContext], None]
PASSES: tuple[Pass, ...] = (
    name_inputs_and_outputs,
    lower_erfc,
    remove_unused_nodes,
    name_dynamic_axes,
    record_source_lines,
    record_source_settings,
    write_split_sizes,
    refuse_unknown_operators,
    refuse_unknown_attributes,
    stamp_metadata,
)


def run_passes(model: ir.Model, context: PassContext) -> None:
    """Run every pass on the model, in place."""
    for run in PASSES:
        run(model, context)
