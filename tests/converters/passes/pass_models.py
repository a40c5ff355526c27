"""Graphs for passes, from ONNX's text form."""

from __future__ import annotations

import onnx_ir as ir
from onnx import parser

from assay.converters.passes.context import PassContext
from assay.specs.interface import Interface, parse_specs


def model(graph: str, opset: int = 18) -> ir.Model:
    """The model that the text describes."""
    return ir.from_proto(parser.parse_model(f'<ir_version: 8, opset_import: ["" : {opset}]> {graph}'))


def context(inputs: dict[str, str], outputs: dict[str, str], raw: tuple[str, ...]) -> PassContext:
    """What the source says of itself, and the raw names of its inputs."""
    return PassContext("source", Interface(parse_specs(inputs), parse_specs(outputs)), raw, {"assay.profile": "1.0"})


def operators(of: ir.Model) -> list[str]:
    """The operators of the graph, in order."""
    return [node.op_type for node in of.graph]
