"""Hash tables, which are constant when a model is converted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation, onnx_dtype
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Tensor, constant

_ML = "ai.onnx.ml"
_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")
_PAIRS = {("string", "int64"), ("int64", "string"), ("string", "float32"), ("int64", "float32"), ("int64", "int64")} | {
    ("string", "string")
}
_SUFFIX = {"string": "strings", "int64": "int64s", "float32": "floats"}


@dataclass(frozen=True)
class Table:
    """What a hash table holds."""

    keys: NDArray[Any]
    values: NDArray[Any]


def _table(op: Operation) -> Table:
    """The table of the first input; refused where the source does not hold it."""
    handle = op.inputs[0].resource
    if handle is None or not hasattr(handle, "numpy"):
        raise RefusedError("looks into a table that the source does not hold")
    keys, values = op.tf.get_attr("Tin"), op.tf.get_attr("Tout")
    try:
        found = tf.raw_ops.LookupTableExportV2(table_handle=handle, Tkeys=keys, Tvalues=values)
    except tf.errors.OpError as error:
        raise RefusedError("looks into a table whose content can't be read") from error
    order = sorted(range(len(found[0])), key=found[0].numpy().tolist().__getitem__)  # a table has none of its own
    return Table(found[0].numpy()[order], found[1].numpy()[order])


@handles("LookupTableFindV2")
def find(e: Emitter, op: Operation) -> Tensor:
    """The value of each key, and the default for the others, as LabelEncoder."""
    keys, default = op.inputs[1], op.array(2, "default value")
    table = _table(op)
    if table.values.ndim != 1 or default.ndim != 0:
        raise RefusedError("looks into a table of vectors")
    kinds = (_wide(keys.dtype), _wide(op.dtype()))
    if kinds not in _PAIRS:
        raise RefusedError(f"looks from {keys.dtype} to {op.dtype()}, which LabelEncoder can't")
    if not table.keys.size:
        sizes = e.node("Shape", [e.logical(keys)])
        return op.result(e.node("Expand", [e.logical(op.inputs[2]), sizes]), keys.shape)
    value = e.logical(keys)
    if keys.dtype != kinds[0]:
        value = e.node("Cast", [value], to=onnx_dtype(kinds[0]))
    attributes = {
        f"keys_{_SUFFIX[kinds[0]]}": _plain(table.keys),
        f"values_{_SUFFIX[kinds[1]]}": _plain(table.values),
        f"default_{_SUFFIX[kinds[1]][:-1]}": _plain(default.reshape(1))[0],
    }
    (found,) = e.nodes("LabelEncoder", [value], 1, domain=_ML, **attributes)
    found.dtype = onnx_dtype(kinds[1])
    if op.dtype() != kinds[1]:
        found = e.node("Cast", [found], to=op.onnx_dtype())
    return op.result(found, keys.shape)


def _wide(dtype: str) -> str:
    return "int64" if dtype in _INTEGERS else dtype


def _plain(array: NDArray[Any]) -> list[Any]:
    return [item.decode() if isinstance(item, bytes) else item for item in array.tolist()]


@handles("LookupTableSizeV2")
def size(_e: Emitter, op: Operation) -> Tensor:
    """How many keys the table has."""
    handle = op.inputs[0].resource
    if handle is None or not hasattr(handle, "numpy"):
        raise RefusedError("counts a table that the source does not hold")
    return constant(np.array(tf.raw_ops.LookupTableSizeV2(table_handle=handle).numpy(), np.int64), "int64")
