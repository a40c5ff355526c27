"""The candidate: an ONNX file on trial, with what is known of its interface."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.conformance.result import FileDigest, ModelFiles
from assay.converters.bundle import Bundle, open_bundle
from assay.converters.contract import narrowed, stated_conditions
from assay.converters.files import UnreadableError, model_path, read_model, sha256
from assay.converters.interface_json import read_interface
from assay.converters.sources.onnx_model import graph_inputs, spec_of
from assay.specs.conditions import ConditionError
from assay.specs.interface import Interface

if TYPE_CHECKING:
    import onnx_ir as ir


@dataclass(frozen=True)
class Candidate:
    """A model file; ``inputs`` and ``outputs`` map our names to its own, ``constants`` feeds what we do not have."""

    path: Path
    interface: Interface
    name: str = "model"
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of the model file and its external data."""
        return sum(path.stat().st_size for path in (self.path, *_external_files(self.path)))

    def files(self) -> ModelFiles:
        """Name, SHA-256 and size in bytes of every file of the bundle, or of the bare model and its external data."""
        in_bundle = self.path.name == "model.onnx" and (self.path.parent / "interface.json").is_file()
        paths = open_bundle(self.path.parent).files if in_bundle else (self.path, *_external_files(self.path))
        entries = (
            FileDigest(name=_relative(p, self.path.parent), sha256=sha256(p), size=p.stat().st_size) for p in paths
        )
        return ModelFiles(name=self.name, files=tuple(entries))


def open_candidate(model: str | os.PathLike[str] | Bundle) -> Candidate:
    """Open a ``.onnx`` file or a bundle; raises `AssayError` where it is neither."""
    path = model_path(os.fspath(model))
    graph = read_model(path)
    interface = read_interface(path)
    if interface is None:
        task = graph.metadata_props.get("assay.task", "generic")
        interface = _declared(graph, path, task)
    return Candidate(path, interface, os.fspath(model))


def _declared(graph: ir.Model, path: Path, task: str) -> Interface:
    """What the file itself says, where no interface lies beside it."""
    inputs, outputs = (tuple(map(spec_of, values)) for values in (graph_inputs(graph), graph.graph.outputs))
    try:
        conditions = stated_conditions(graph)
    except (ValueError, ConditionError) as error:
        raise UnreadableError(path, f"has conditions that can't be read: {error}") from error
    known = tuple(condition for condition in conditions if condition.names <= set(Interface(inputs).axes))
    return narrowed(Interface(inputs, outputs, task, conditions=known))


def _external_files(path: Path) -> list[Path]:
    import onnx_ir as ir

    values = (value.const_value for value in read_model(path).graph.initializers.values())
    return sorted({Path(v.path) for v in values if isinstance(v, ir.ExternalTensor) and Path(v.path).is_file()})


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
