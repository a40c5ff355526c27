"""Operators get dtypes for which ONNX Runtime has kernels, by exact casts around them, and outputs get their dtypes.

Integers are computed in a wider type and cut back, which gives what wrapping around gives; half types in float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import onnx
import onnx_ir as ir

from assay.converters.kernel_types import kernel_dtypes
from assay.converters.refusal import RefusedError

T = ir.DataType
_WIDER: Mapping[ir.DataType, tuple[ir.DataType, ...]] = {
    T.INT8: (T.INT16, T.INT32, T.INT64),
    T.INT16: (T.INT32, T.INT64),
    T.INT32: (T.INT64,),
    T.UINT8: (T.INT32, T.INT64),
    T.UINT16: (T.INT32, T.INT64),
    T.UINT32: (T.INT64,),
    T.BOOL: (T.UINT8, T.INT32),
    T.FLOAT16: (T.FLOAT,),
    T.BFLOAT16: (T.FLOAT,),
}
_BITS_ALONE = {"Where", "Expand", "Pad", "Tile", "ReduceSum", "CumSum", "MaxUnpool", "Trilu", "Range", "Compress"}


@dataclass(frozen=True)
class Signature:
    """The type variables (or fixed types) of an operator's inputs and outputs; the last input may repeat."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    repeats: bool

    def input(self, index: int) -> str:
        """The type of an input, by place."""
        if index < len(self.inputs):
            return self.inputs[index]
        return self.inputs[-1] if self.repeats else ""

    def output(self, index: int) -> str:
        """The type of an output, by place."""
        return self.outputs[min(index, len(self.outputs) - 1)]


@dataclass(frozen=True)
class Types:
    """What a node's type variables are, and what they must be in its kernel."""

    signature: Signature
    own: Mapping[str, ir.DataType]
    kernel: Mapping[str, ir.DataType]

    def input_cast(self, index: int) -> ir.DataType | None:
        """To what an input must be cast first."""
        return self.kernel.get(self.signature.input(index))

    def output(self, index: int) -> tuple[ir.DataType | None, ir.DataType | None]:
        """The dtype of an output, and to what it must be cast back, if at all."""
        variable = self.signature.output(index)
        fixed = _FIXED.get(variable)
        if fixed is not None:
            return fixed, None
        own = self.own.get(variable)
        return self.kernel.get(variable, own), own if variable in self.kernel else None


_FIXED = {
    f"tensor({name})": dtype
    for name, dtype in (
        ("int64", T.INT64),
        ("int32", T.INT32),
        ("bool", T.BOOL),
        ("float", T.FLOAT),
        ("string", T.STRING),
    )
}


def types_of(
    operator: str, inputs: Sequence[ir.Value | None], attributes: Mapping[str, Any], opset: int, domain: str
) -> Types | None:
    """The types of a node to be; None where the operator is not of the standard. Raises `RefusedError`."""
    signature = _signature(operator, opset, domain)
    if signature is None:
        return None
    own: dict[str, ir.DataType] = {}
    for index, value in enumerate(inputs):
        variable = signature.input(index)
        if value is not None and value.dtype is not None and variable and not variable.startswith("tensor("):
            own.setdefault(variable, value.dtype)
    _chosen_by_attribute(operator, signature, attributes, own)
    kernel = {}
    for variable, dtype in own.items():
        legal = kernel_dtypes(operator, variable, opset)
        if legal is not None and dtype not in legal:
            kernel[variable] = _widened(operator, dtype, legal)
    return Types(signature, own, kernel)


def _chosen_by_attribute(
    operator: str, signature: Signature, attributes: Mapping[str, Any], own: dict[str, ir.DataType]
) -> None:
    if operator == "ConstantOfShape" and attributes.get("value") is not None:
        own[signature.output(0)] = attributes["value"].dtype
        return
    chosen = attributes.get("to", attributes.get("dtype"))
    if chosen is not None:
        own[signature.output(0)] = T(int(chosen))


def _widened(operator: str, dtype: ir.DataType, legal: frozenset[ir.DataType]) -> ir.DataType:
    wider = _WIDER.get(dtype, ())
    if dtype == T.UINT64 and operator in _BITS_ALONE:
        wider = (T.INT64,)
    found = next((candidate for candidate in wider if candidate in legal), None)
    if found is None:
        raise RefusedError(f"needs {operator} of {dtype.name.lower()}, for which ONNX Runtime has no kernel")
    return found


@cache
def _signature(operator: str, opset: int, domain: str) -> Signature | None:
    if domain:
        return None
    try:
        schema = onnx.defs.get_schema(operator, opset, domain)
    except onnx.defs.SchemaError as error:
        raise RefusedError(f"needs {operator}, which opset {opset} does not have") from error
    last = schema.inputs[-1] if schema.inputs else None
    repeats = last is not None and last.option == onnx.defs.OpSchema.FormalParameterOption.Variadic
    only = {
        constraint.type_param_str: constraint.allowed_type_strs[0]
        for constraint in schema.type_constraints
        if len(constraint.allowed_type_strs) == 1
    }
    inputs, outputs = (
        tuple(only.get(name, name) for name in map(_variable, parameters))
        for parameters in (schema.inputs, schema.outputs)
    )
    return Signature(inputs, outputs, repeats)


def _variable(parameter: Any) -> str:
    return str(parameter.type_str) if parameter.is_homogeneous else ""
