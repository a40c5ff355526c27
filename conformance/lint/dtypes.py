"""Names of dtypes as the profile writes them."""

from __future__ import annotations

import onnx_ir as ir

_OWN = {"float": "float32", "double": "float64"}


def profile_name(dtype: ir.DataType) -> str:
    """The profile's name of a dtype, such as ``float32``."""
    name = dtype.name.lower()
    return _OWN.get(name, name)
