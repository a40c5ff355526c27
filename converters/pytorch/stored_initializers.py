"""Initializers whose elements lie in a checkpoint's shards point there, instead of being written again."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import onnx_ir as ir
import torch

from assay.converters.examples import numpy_dtype
from assay.converters.safetensors_file import PlacedTensor
from assay.converters.sources.checkpoint import CheckpointSource


def point_into_shards(model: ir.Model, source: CheckpointSource) -> None:
    """Rewrite in place; weights that are tied in the checkpoint become one initializer.

    The exporter folds transpositions of weights into views of the mapped file; they become nodes again.
    """
    stored = _Stored(model.graph)
    for value in list(model.graph.initializers.values()):
        raw = getattr(value.const_value, "raw", None)
        if isinstance(raw, torch.Tensor) and (place := source.place_of(raw)) is not None:
            _replace(model.graph, value, stored.value(place))
        elif isinstance(raw, np.ndarray) and (place := _transposed(raw, source)) is not None:
            _replace(model.graph, value, stored.transposed(place))


def _transposed(array: np.ndarray, source: CheckpointSource) -> PlacedTensor | None:
    """The matrix of the checkpoint that this array shows transposed, in its own memory."""
    place = source.place_at(array.ctypes.data) if array.ndim == 2 else None
    if place is None or (array.dtype.name, array.shape[::-1]) != (place.dtype, place.shape):
        return None
    return place if array.T.flags.c_contiguous else None


def _replace(graph: ir.Graph, old: ir.Value, new: ir.Value) -> None:
    if graph.initializers.get(old.name or "") is old:  # the new one may have the name already
        graph.initializers.pop(old.name or "")
    ir.convenience.replace_all_uses_with(old, new, replace_graph_outputs=True)


@dataclass
class _Stored:
    """The values made so far: one a tensor of the checkpoint, and one for it transposed."""

    graph: ir.Graph
    _values: dict[PlacedTensor, ir.Value] = field(default_factory=dict)
    _turned: dict[PlacedTensor, ir.Value] = field(default_factory=dict)

    def value(self, place: PlacedTensor) -> ir.Value:
        """An initializer with the name that the checkpoint has for the tensor."""
        if place not in self._values:
            tensor = _external(place)
            value = ir.Value(name=place.name, shape=tensor.shape, type=ir.TensorType(tensor.dtype), const_value=tensor)
            self.graph.initializers.pop(place.name, None)  # the same weight, which is replaced now
            self.graph.register_initializer(value)
            self._values[place] = value
        return self._values[place]

    def transposed(self, place: PlacedTensor) -> ir.Value:
        """What a Transpose gives of it, at the start of the graph."""
        if place not in self._turned:
            perm = ir.AttrInt64s("perm", [1, 0])
            node = ir.Node("", "Transpose", [self.value(place)], [perm], name=f"{place.name}/transpose")
            (output,) = node.outputs
            output.name, output.shape = f"{place.name}/transposed", ir.Shape(place.shape[::-1])
            output.type = self.value(place).type
            self.graph.insert_before(self.graph[0], node)
            self._turned[place] = output
        return self._turned[place]


def _external(place: PlacedTensor) -> ir.ExternalTensor:
    return ir.ExternalTensor(
        place.file.name,
        place.offset,
        place.length,
        ir.DataType.from_numpy(numpy_dtype(place.dtype)),
        shape=ir.Shape(place.shape),
        name=place.name,
        base_dir=place.file.parent,
    )
