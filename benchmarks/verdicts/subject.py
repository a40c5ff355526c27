"""The healthy ONNX model with what each of its tensors is at the traced sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime as ort

from verdicts.graph import Graph

Feeds = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Subject:
    """A healthy model, the traced input, and the value of every tensor on it."""

    name: str
    model: onnx.ModelProto
    feeds: Feeds
    values: Feeds

    @property
    def graph(self) -> Graph:
        """The graph to look at; changing it is changing the subject."""
        return Graph(self.model)


def make_subject(name: str, model: onnx.ModelProto, feeds: Feeds) -> Subject:
    """Run the model once with every intermediate tensor as an output."""
    return Subject(name, model, feeds, {**feeds, **intermediates(model, feeds)})


def intermediates(model: onnx.ModelProto, feeds: Feeds) -> dict[str, np.ndarray]:
    """Every tensor of the main graph, without graph optimization."""
    twin = onnx.ModelProto()
    twin.CopyFrom(model)
    known = {value.name for value in twin.graph.output}
    names = [name for node in twin.graph.node for name in node.output if name and name not in known]
    twin.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names)
    wanted = [*(value.name for value in model.graph.output), *names]
    values = session(twin, "disable").run(wanted, dict(feeds))
    return {name: value for name, value in zip(wanted, values, strict=True) if isinstance(value, np.ndarray)}


_LEVELS = {
    "disable": ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
}


def session(model: onnx.ModelProto | bytes | str, level: str = "all") -> ort.InferenceSession:
    """An ONNX Runtime session on the CPU, one thread, silent; raises what the runtime raises."""
    options = ort.SessionOptions()
    options.graph_optimization_level = _LEVELS[level]
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    data = model.SerializeToString() if isinstance(model, onnx.ModelProto) else model
    return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
