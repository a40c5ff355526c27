"""What ONNX Runtime can compute in float64 on the CPU: by the signatures of operators and its list of kernels."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import onnx.defs
import onnx_ir as ir

DOUBLE = "double"
_PROMISED = {"LSTM", "GRU"}  # "does not support double yet" is what these kernels say when they run
HIGH = {
    ir.DataType.FLOAT16: ir.DataType.DOUBLE,
    ir.DataType.BFLOAT16: ir.DataType.DOUBLE,
    ir.DataType.FLOAT: ir.DataType.DOUBLE,
}


def runs_in_float64(node: ir.Node, opsets: Mapping[str, int]) -> bool:
    """Whether the operator may take float64 wherever the node has a lower float, and has a kernel that does.

    An operator without any kernel is one that ONNX Runtime knows without, such as Constant.
    """
    schema = _schema(node.domain, node.op_type, opsets.get(node.domain, 1))
    if schema is None:
        return False
    ports = _low_ports(node, schema)
    if node.op_type in _PROMISED or not all(any(DOUBLE in kind for kind in formal.types) for formal in ports):
        return False
    names = {formal.typeStr for formal in ports}
    kernels = _kernels(node.domain, node.op_type, schema.since_version)
    return not kernels or any(_takes(constraints, names) for constraints in kernels)


def has_kernel(node: ir.Node, opsets: Mapping[str, int]) -> bool:
    """Whether it runs in float64 by a kernel of its own."""
    schema = _schema(node.domain, node.op_type, opsets.get(node.domain, 1))
    found = schema is not None and bool(_kernels(node.domain, node.op_type, schema.since_version))
    return found and runs_in_float64(node, opsets)


def has_definition(node: ir.Node, opsets: Mapping[str, int]) -> bool:
    """Whether ONNX defines the operator by others, and the node has numbers of low precision."""
    schema = _schema(node.domain, node.op_type, opsets.get(node.domain, 1))
    if _domain(node.domain) or schema is None or not _low_ports(node, schema):
        return False
    defined: Any = onnx.defs.get_schema(node.op_type, opsets.get("", 1), "")
    return bool(defined.has_function or defined.has_context_dependent_function)


def _low_ports(node: ir.Node, schema: Any) -> list[Any]:
    return [*_ports(node.inputs, schema.inputs), *_ports(node.outputs, schema.outputs)]


def output_follows_input(node: ir.Node, opsets: Mapping[str, int], index: int) -> ir.DataType | None:
    """The dtype of an output that has the type of some input by the operator's signature, else None."""
    schema = _schema(node.domain, node.op_type, opsets.get(node.domain, 1))
    if schema is None:
        return None
    wanted = _formal(schema.outputs, index).typeStr
    for position, value in enumerate(node.inputs):
        if value is not None and value.dtype and _formal(schema.inputs, position).typeStr == wanted:
            return value.dtype
    return None


def _ports(values: Any, formals: Any) -> list[Any]:
    lower = [index for index, value in enumerate(values) if value is not None and value.dtype in HIGH]
    return [_formal(formals, index) for index in lower]


def _formal(formals: Any, index: int) -> Any:
    return formals[min(index, len(formals) - 1)]  # the last one of a variadic operator stands for the rest


def _takes(constraints: Mapping[str, list[str]], names: set[str]) -> bool:
    return all(any(DOUBLE in kind for kind in constraints[name]) for name in names if name in constraints)


@cache
def _schema(domain: str, operator: str, opset: int) -> Any:
    found = [s for s in _schemas().get((_domain(domain), operator), ()) if s.since_version <= opset]
    return max(found, key=lambda schema: schema.since_version, default=None)


@cache
def _schemas() -> dict[tuple[str, str], list[Any]]:
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    found: dict[tuple[str, str], list[Any]] = {}
    for schema in state.get_all_operator_schema():
        found.setdefault((_domain(schema.domain), schema.name), []).append(schema)
    return found


@cache
def _all_kernels() -> dict[tuple[str, str], list[Any]]:
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    found: dict[tuple[str, str], list[Any]] = {}
    for kernel in state.get_all_opkernel_def():
        if kernel.provider == "CPUExecutionProvider":
            found.setdefault((_domain(kernel.domain), kernel.op_name), []).append(kernel)
    return found


def _kernels(domain: str, operator: str, version: int) -> list[Mapping[str, list[str]]]:
    found = _all_kernels().get((_domain(domain), operator), ())
    return [
        kernel.type_constraints for kernel in found if kernel.version_range[0] <= version <= kernel.version_range[1]
    ]


def _domain(domain: str) -> str:
    return "" if domain == "ai.onnx" else domain
