"""One operation of the TensorFlow graph as a handler sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import onnx_ir as ir

from assay.converters.tensorflow.emitter import LOGICAL, Emitter
from assay.converters.tensorflow.registry import RefusedError
from assay.converters.tensorflow.tensor import ONNX_DTYPES, Dim, Shape, Tensor, merged

if TYPE_CHECKING:
    from assay.converters.tensorflow.conversion import Conversion


_BORDERS = frozenset(
    {
        *("Placeholder", "PlaceholderWithDefault", "PartitionedCall", "StatefulPartitionedCall", "RemoteCall"),
        *("If", "StatelessIf", "Case", "StatelessCase", "While", "StatelessWhile"),
        *("Identity", "IdentityN", "StopGradient", "PreventGradient", "EnsureShape", "Snapshot", "CheckNumerics"),
        *("CheckNumericsV2", "DebugIdentityV2"),
    }
)


class Operation:
    """A ``tf.Operation`` whose inputs are converted already."""

    def __init__(self, operation: Any, inputs: Sequence[Tensor], emitter: Emitter, conversion: Conversion) -> None:
        self.tf, self.inputs, self.emitter, self.conversion = operation, tuple(inputs), emitter, conversion
        self.type: str = operation.type
        self.name: str = operation.name

    @property
    def inner_prefix(self) -> str:
        """What the names of the operations of a function that it calls begin with."""
        return f"{self.name}/"

    def attr(self, name: str) -> Any:
        """An attribute as Python has it: bytes are text, dtypes their name."""
        value = self.tf.get_attr(name)
        if isinstance(value, bytes):
            return value.decode()
        return getattr(value, "name", value) if name in ("T", "dtype", "DstT", "SrcT", "out_type", "Tidx") else value

    def dtype(self, index: int = 0) -> str:
        """TensorFlow's name of the dtype of an output."""
        return str(self.tf.outputs[index].dtype.name)

    def onnx_dtype(self, index: int = 0) -> ir.DataType:
        """ONNX's dtype of an output."""
        return onnx_dtype(self.dtype(index))

    def static(self, index: int = 0) -> tuple[int | None, ...] | None:
        """What TensorFlow knows of the shape of an output."""
        shape = self.tf.outputs[index].shape
        return None if shape.rank is None else tuple(shape)

    def result(
        self,
        value: ir.Value,
        shape: Sequence[Dim] | None = None,
        *,
        index: int = 0,
        layout: str = LOGICAL,
        sizes: tuple[Dim, ...] | None = None,
    ) -> Tensor:
        """An output of this operation; ``shape`` is what the handler knows of it, in TensorFlow's order of axes."""
        whole: Shape | None = merged(None if shape is None else tuple(shape), self.static(index))
        return self.emitter.tensor(value, self.dtype(index), whole, layout, sizes=sizes)

    def only_reader(self, index: int = 0) -> bool:
        """Whether nothing but this operation reads what it gets as this input.

        What comes from another function's graph, or through an operation that passes it on, may have other readers.
        """
        tensor = self.tf.inputs[index]
        given = any(tensor is output for output in getattr(tensor.graph, "outputs", ()))
        return tensor.op.type not in _BORDERS and not given and len(tensor.consumers()) == 1

    def array(self, index: int, what: str) -> Any:
        """The content of an input that must be constant; refused where it is not."""
        content = self.inputs[index].array
        if content is None:
            raise RefusedError(f"needs a constant {what}, but gets one that is computed")
        return content


def origin(tensor: Any) -> Any:
    """What a tensor of the graph is, without the operations that only pass it on."""
    while tensor.op.type == "Identity":
        tensor = tensor.op.inputs[0]
    return tensor


def onnx_dtype(name: str) -> ir.DataType:
    """ONNX's dtype for TensorFlow's name; refused where there is none."""
    if name not in ONNX_DTYPES:
        raise RefusedError(f"has the dtype {name}, which ONNX does not have")
    return ONNX_DTYPES[name]
