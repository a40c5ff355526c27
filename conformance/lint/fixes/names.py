"""Names that are not portable, made up by an exporter, too long, doubled or missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import onnx_ir as ir
from onnx_ir.passes.common import NameFixPass

from assay.conformance.lint.fixes.registry import Draft, fixes
from assay.conformance.lint.interface import is_made_up, is_portable
from assay.specs.interface import TensorSpec

_LONGEST = 200
_UNCLEAN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_OTHERS = re.compile(r"[^A-Za-z0-9_.\-]+")


@fixes("IO001")
def name_inputs_and_outputs(draft: Draft) -> None:
    """Portable names from what the author wrote; ``input``, ``output`` and a number where the exporter made them up."""
    taken = {value.name for value in _values(draft.model)}
    for kind, values, renamed in (
        ("input", [v for v in draft.graph.inputs if v.name not in draft.graph.initializers], draft.renamed_inputs),
        ("output", list(draft.graph.outputs), draft.renamed_outputs),
    ):
        for index, value in enumerate(values):
            old = value.name or ""
            if is_portable(old) and not is_made_up(old):
                continue
            stem = kind if len(values) == 1 else f"{kind}_{index}"
            new = _free(stem if is_made_up(old) else _portable(old, stem), taken)
            value.name = new
            renamed[old] = new
            taken.add(new)
    _rename_in_interface(draft)


@fixes("SE006", "SE007")
def clean_names(draft: Draft) -> None:
    """Inner names lose control characters and length; each stays one of its own."""
    for node in draft.graph.all_nodes():
        node.name = _clean(node.name)
    for value in _values(draft.model):
        if not (value.is_graph_output() or value.is_graph_input()):
            value.name = _clean(value.name)
    NameFixPass()(draft.model)
    name_inputs_and_outputs(draft)


def _clean(name: str | None) -> str | None:
    return None if name is None else _UNCLEAN.sub("_", name)[:_LONGEST]


def _portable(name: str, fallback: str) -> str:
    head = name.split(":")[0].rsplit("/", 1)[-1]
    stem = _OTHERS.sub("_", head).strip("_.-")
    return stem if stem and not stem[0].isdigit() else fallback


def _free(stem: str, taken: set[str | None]) -> str:
    if stem not in taken:
        return stem
    return next(name for index in range(1, len(taken) + 2) if (name := f"{stem}_{index}") not in taken)


def _values(model: ir.Model) -> Iterator[ir.Value]:
    yield from (*model.graph.inputs, *model.graph.initializers.values())
    for node in model.graph.all_nodes():
        yield from node.outputs


def _rename_in_interface(draft: Draft) -> None:
    if draft.interface is None:
        return
    inputs = tuple(_renamed(spec, draft.renamed_inputs) for spec in draft.interface.inputs)
    outputs = tuple(_renamed(spec, draft.renamed_outputs) for spec in draft.interface.outputs)
    draft.interface = replace(draft.interface, inputs=inputs, outputs=outputs)


def _renamed(spec: TensorSpec, names: dict[str, str]) -> TensorSpec:
    return replace(spec, name=names.get(spec.name, spec.name))
