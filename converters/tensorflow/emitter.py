"""Writes the ONNX graph: nodes with names, constants once each, and tensors in the layout that an operator wants.

Convolutions of ONNX have channels first, those of TensorFlow mostly last. A tensor that comes from a convolution stays
with channels first, and every operator that can work so does; it is turned only where an operator needs it as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from assay.converters.legal_types import Types, types_of
from assay.converters.tensorflow.registry import RefusedError
from assay.converters.tensorflow.tensor import ONNX_DTYPES, Shape, Symbol, Tensor

LOGICAL, CHANNELS_FIRST = "logical", "channels first"
_FOLDED_BYTES = 1 << 10  # of a constant that is cast at once
_SAMPLE = 64  # elements by which constants are looked up


class Emitter:
    """The graph so far. ``opset`` is that of the default domain."""

    def __init__(self, opset: int) -> None:
        self.opset = opset
        self.initializers: dict[str, ir.Value] = {}
        self._bodies: list[list[ir.Node]] = [[]]
        self._scopes = [0]
        self._scope_count = 0
        self._names: dict[str, int] = {}
        self._shared: dict[tuple[str, tuple[int, ...], bytes], list[tuple[ir.Value, NDArray[Any]]]] = {}
        self._prefix = ""
        self._origin: Mapping[str, str] = {}

    # nodes

    def node(self, operator: str, inputs: Sequence[ir.Value | None], /, **attributes: Any) -> ir.Value:
        """Add a node of one output, and give that."""
        return self.nodes(operator, inputs, 1, **attributes)[0]

    def nodes(
        self, operator: str, inputs: Sequence[ir.Value | None], outputs: int, /, domain: str = "", **attributes: Any
    ) -> list[ir.Value]:
        """Add a node; an attribute that is None is left out."""
        given = {key: value for key, value in attributes.items() if value is not None}
        name = self.unique(f"{self._prefix}/{operator}" if self._prefix else operator)
        types = types_of(operator, inputs, given, self.opset, domain)
        legal = [self._cast(value, types.input_cast(index) if types else None) for index, value in enumerate(inputs)]
        made = ir.node(operator, legal, given, domain=domain, num_outputs=outputs, name=name)
        for index, value in enumerate(made.outputs):
            value.name = name if index == 0 else f"{name}:{index}"
        made.metadata_props.update(self._origin)
        self._bodies[-1].append(made)
        return [self._typed(value, index, types) for index, value in enumerate(made.outputs)]

    def _typed(self, value: ir.Value, index: int, types: Types | None) -> ir.Value:
        """The output with its dtype, cast back where the kernel has another."""
        if types is None:
            return value
        dtype, back = types.output(index)
        if dtype is not None:
            value.dtype = dtype
        return self._cast(value, back)  # type: ignore[return-value]

    def _cast(self, value: ir.Value | None, dtype: ir.DataType | None) -> ir.Value | None:
        if value is None or dtype is None or value.dtype in (None, dtype):
            return value
        if value.const_value is not None and value.const_value.nbytes <= _FOLDED_BYTES:
            return self.constant(value.const_value.numpy().astype(dtype.numpy()))
        return self.node("Cast", [value], to=dtype)

    def constant(self, array: NDArray[Any] | Sequence[Any], dtype: Any = None, name: str = "constant") -> ir.Value:
        """An initializer; equal ones are one."""
        content = np.asarray(array, dtype, order="C")
        alike = [] if content.dtype == object else self._shared.setdefault(_sample(content), [])
        for value, held in alike:
            if np.array_equal(held.view(np.uint8), content.reshape(-1).view(np.uint8)):
                return value
        value = ir.Value(name=self.unique(name))
        value.const_value = _tensor(content, value.name)
        value.dtype, value.shape = value.const_value.dtype, ir.Shape(content.shape)
        self.initializers[value.name or ""] = value
        alike.append((value, content.reshape(-1)))
        return value

    def ints(self, *numbers: int) -> ir.Value:
        """A constant vector of int64."""
        return self.constant(np.array(numbers, np.int64))

    def unique(self, name: str) -> str:
        """The name, with a number where it is taken."""
        number = self._names.get(name)
        self._names[name] = 0 if number is None else number + 1
        return name if number is None else self.unique(f"{name}_{number + 1}")

    @contextmanager
    def named(self, prefix: str, origin: Mapping[str, str] | None = None) -> Iterator[None]:
        """Nodes made inside are called after this operation, and carry where it comes from as metadata."""
        before = self._prefix, self._origin
        self._prefix, self._origin = prefix, origin or {}
        try:
            yield
        finally:
            self._prefix, self._origin = before

    # subgraphs

    @contextmanager
    def body(self) -> Iterator[list[ir.Node]]:
        """Nodes made inside go to a subgraph; those of outer graphs are visible there."""
        self._scope_count += 1
        self._scopes.append(self._scope_count)
        self._bodies.append([])
        try:
            yield self._bodies[-1]
        finally:
            self._bodies.pop()
            self._scopes.pop()

    @property
    def main(self) -> list[ir.Node]:
        """The nodes of the main graph."""
        return self._bodies[0]

    # tensors and layouts

    def tensor(self, value: ir.Value, dtype: str, shape: Shape | None, layout: str = LOGICAL, **fields: Any) -> Tensor:
        """A tensor that has this value in this layout."""
        made = Tensor(dtype, shape, **fields)
        if value.dtype is None and dtype in ONNX_DTYPES:
            value.dtype = ONNX_DTYPES[dtype]
        self._remember(made, layout, value)
        return made

    def logical(self, tensor: Tensor) -> ir.Value:
        """The value with its axes as TensorFlow has them."""
        found = self._form(tensor, LOGICAL)
        if found is not None:
            return found
        first = self._form(tensor, CHANNELS_FIRST)
        if first is not None:
            assert tensor.rank is not None
            value = self._turned(
                first, _to_last(tensor.rank), tensor.shape and _permuted(tensor.shape, to_first(tensor.rank))
            )
        elif tensor.array is not None:
            value = self.constant(tensor.array, name=tensor.label or self._prefix or "constant")
        elif tensor.flattened_from is not None:
            wide = tensor.flattened_from
            value = self.node("Flatten", [self.logical(wide)], axis=(wide.rank or 1) - 1)
        elif tensor.parts is not None:
            raise RefusedError(f"takes {tensor.dtype} as it is, which ONNX has only as pairs of numbers")
        else:
            raise AssertionError("a tensor without content has no value")
        self._remember(tensor, LOGICAL, value)
        return value

    def channels_first(self, tensor: Tensor) -> ir.Value:
        """The value of a tensor of rank 3 or more with its last axis moved to the second place."""
        found = self._form(tensor, CHANNELS_FIRST)
        if found is not None:
            return found
        assert tensor.rank is not None
        turn = to_first(tensor.rank)
        if tensor.array is not None:
            value = self.constant(tensor.array.transpose(turn), name=tensor.label or self._prefix or "constant")
        else:
            value = self._turned(self.logical(tensor), turn, tensor.shape)
        self._remember(tensor, CHANNELS_FIRST, value)
        return value

    def is_channels_first(self, tensor: Tensor) -> bool:
        """Whether the tensor was made in this layout."""
        return next(iter(tensor.forms), LOGICAL) == CHANNELS_FIRST

    def aligned(self, tensors: Sequence[Tensor]) -> tuple[list[ir.Value], str]:
        """Operands that broadcast, all in one layout, and which one it is."""
        ranks = [tensor.rank for tensor in tensors]
        known = [rank for rank in ranks if rank is not None]
        rank = max(known, default=0)
        turned = (
            rank >= 3
            and len(known) == len(ranks)
            and any(self.is_channels_first(tensor) for tensor in tensors if tensor.rank == rank)
        )
        if not turned:
            return [self.logical(tensor) for tensor in tensors], LOGICAL
        return [self._operand(tensor, rank) for tensor in tensors], CHANNELS_FIRST

    def int64(self, tensor: Tensor) -> ir.Value:
        """An integer tensor as int64."""
        if tensor.array is not None:
            return self.constant(tensor.array.astype(np.int64))
        value = self.logical(tensor)
        return value if tensor.dtype == "int64" else self.node("Cast", [value], to=ir.DataType.INT64)

    def _operand(self, tensor: Tensor, rank: int) -> ir.Value:
        """An operand of a broadcast of this rank with channels first."""
        assert tensor.rank is not None
        if tensor.rank == rank:
            return self.channels_first(tensor)
        if tensor.rank == 0:
            return self.logical(tensor)
        if tensor.array is not None:
            whole = tensor.array.reshape((1,) * (rank - tensor.rank) + tensor.array.shape)
            return self.constant(
                _trimmed(whole.transpose(to_first(rank))), name=tensor.label or self._prefix or "constant"
            )
        if tensor.rank == 1:
            return self.node("Reshape", [self.logical(tensor), self.ints(-1, *[1] * (rank - 2))])
        axes = self.ints(*range(rank - tensor.rank))
        return self.node("Transpose", [self.node("Unsqueeze", [self.logical(tensor), axes])], perm=to_first(rank))

    def _turned(self, value: ir.Value, turn: Sequence[int], shape: Shape | None) -> ir.Value:
        """A transposition; where it moves axes of one element alone it is a reshape, which costs nothing."""
        if shape is not None:
            kept = [axis for axis in turn if shape[axis] != 1]
            symbols = [axis for axis in turn if isinstance(shape[axis], Symbol)]
            if kept == sorted(kept) and len(symbols) <= 1 and 0 not in shape:
                sizes = [-1 if isinstance(shape[axis], Symbol) else shape[axis] for axis in turn]
                return self.node("Reshape", [value, self.ints(*sizes)])  # type: ignore[arg-type]
        return self.node("Transpose", [value], perm=list(turn))

    def _form(self, tensor: Tensor, layout: str) -> ir.Value | None:
        """The value in this layout that the current graph can see."""
        return next((value for scope, value in tensor.forms.get(layout, ()) if scope in self._scopes), None)

    def _remember(self, tensor: Tensor, layout: str, value: ir.Value) -> None:
        scope = 0 if value.const_value is not None else self._scopes[-1]  # initializers are seen everywhere
        tensor.forms.setdefault(layout, []).append((scope, value))


def to_first(rank: int) -> list[int]:
    """The order of axes that moves the last one to the second place."""
    return [0, rank - 1, *range(1, rank - 1)]


def _to_last(rank: int) -> list[int]:
    return [0, *range(2, rank), 1]


def _permuted(shape: Shape, turn: Sequence[int]) -> Shape:
    return tuple(shape[axis] for axis in turn)


def _trimmed(array: NDArray[Any]) -> NDArray[Any]:
    """Without leading axes of one element, which broadcasting adds again."""
    while array.ndim > 1 and array.shape[0] == 1:
        array = array[0]
    return array


def _tensor(array: NDArray[Any], name: str | None) -> ir.TensorProtocol:
    if array.dtype.kind in "OUS":
        texts = [text if isinstance(text, bytes) else str(text).encode() for text in array.reshape(-1)]
        return ir.StringTensor(texts, shape=ir.Shape(array.shape), name=name)
    return ir.tensor(array, name=name)


def _sample(content: NDArray[Any]) -> tuple[str, tuple[int, ...], bytes]:
    """What equal constants share: dtype, shape and some elements."""
    step = max(content.size // _SAMPLE, 1)
    return str(content.dtype), content.shape, content.reshape(-1)[::step].tobytes()
