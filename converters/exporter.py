"""The one interface that every exporter stands behind: an opened source in, a raw ONNX graph out."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from assay.specs.errors import AssayError

if TYPE_CHECKING:
    import onnx_ir as ir

    from assay.converters.contract import Clause
    from assay.converters.sources.base import Source


@dataclass(frozen=True)
class Exported:
    """A raw model, the names of its graph inputs in the source's order, and the exporter that wrote it.

    ``clauses`` are what the graph is right on, where the exporter knows that.
    ``shards`` are files that hold weights which the model points to as external data; they become files of the bundle.
    """

    model: ir.Model
    inputs: tuple[str, ...]
    exporter: str
    clauses: tuple[Clause, ...] = ()
    shards: tuple[Path, ...] = ()


class Exporter(Protocol):
    """Outputs of the graph come in the order in which the source gives them."""

    def __call__(self, source: Source, opset: int | None) -> Exported:
        """Export, or raise `ConvertError`."""
        ...


class ConvertError(AssayError):
    """A source that can't be converted without a change of meaning."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(source, reason)
        self.source, self.reason = source, reason

    def __str__(self) -> str:
        return f"{self.source} can't be converted: {self.reason}"


class UnknownExporterError(AssayError):
    """A name that no exporter has."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"there is no exporter {self.name!r}, but there are {', '.join(_EXPORTERS)}"


_EXPORTERS = {
    "assay.pytorch": ("pytorch", "assay.converters.pytorch.native_exporter:export"),
    "torch.onnx": ("pytorch", "assay.converters.pytorch.dynamo:export"),
    "torch.onnx.torchscript": ("pytorch", "assay.converters.pytorch.torchscript:export"),
    "assay.tensorflow": ("tensorflow", "assay.converters.tensorflow.native_exporter:export"),
    "tf2onnx": ("tensorflow", "assay.converters.tensorflow.tf2onnx_exporter:export"),
    "torch.onnx.keras": ("tensorflow", "assay.converters.tensorflow.keras_torch_exporter:export"),
    "onnx": ("onnx", "assay.converters.onnx_exporter:export"),
}
_DEFAULTS = {
    "torchscript": "torch.onnx.torchscript",
    "pytorch": "assay.pytorch",
    "tensorflow": "assay.tensorflow",
    "onnx": "onnx",
}
# the newest opset that an exporter writes; one that is not here keeps the source's
_NEWEST = {
    "assay.pytorch": 23,
    "torch.onnx": 23,
    "torch.onnx.torchscript": 20,
    "torch.onnx.keras": 23,
    "assay.tensorflow": 28,
    "tf2onnx": 18,
}
# exporters that take some kinds of their framework's sources alone
_KINDS = {
    "assay.pytorch": ("module", "exported-program", "checkpoint"),
    "torch.onnx": ("module", "exported-program"),
    "torch.onnx.torchscript": ("module", "exported-program", "torchscript"),
    "torch.onnx.keras": ("keras",),
}


def require_opset(source: str, exporter: str, model: ir.Model, wanted: int) -> None:
    """Raise `ConvertError` where a graph has another opset: where there is no way to one, it is left out silently."""
    written = model.opset_imports.get("")
    if written != wanted:
        raise ConvertError(source, f"{exporter} wrote opset {written}, but should write {wanted}")


def require_exporter(name: str) -> None:
    """Raise `UnknownExporterError` for a name that no exporter has."""
    if name not in _EXPORTERS:
        raise UnknownExporterError(name)


def exporters_of(framework: str, kind: str) -> tuple[str, ...]:
    """The names of the exporters for sources of this framework and kind, the default first."""
    default = _DEFAULTS.get(kind) or _DEFAULTS[framework]
    names = (name for name, (takes, _) in _EXPORTERS.items() if takes == framework)
    fitting = [name for name in names if kind in _KINDS.get(name, (kind,))]
    return (default, *(name for name in fitting if name != default))


def newest_opset(source: Source, name: str | None = None) -> int | None:
    """The newest opset that the exporter of this name writes, or the one that suits the source.

    None for an exporter that keeps the source's own, and for a name that no exporter has.
    """
    return _NEWEST.get(_name_of(source, name))


def _name_of(source: Source, name: str | None) -> str:
    return name or _DEFAULTS.get(source.kind) or _DEFAULTS[source.framework]


def find_exporter(source: Source, name: str | None) -> Exporter:
    """The exporter of this name, or the one that suits the source; raises `ConvertError`."""
    exporter: Exporter = load_part(source, _EXPORTERS[exporter_name(source, name)][1])
    return exporter


def exporter_name(source: Source, name: str | None) -> str:
    """This name, or that of the exporter that suits the source; raises `ConvertError` where it takes no such source."""
    chosen = _name_of(source, name)
    if chosen not in _EXPORTERS:
        raise ConvertError(source.name, f"there is no exporter {chosen!r}, but there are {', '.join(_EXPORTERS)}")
    framework, _ = _EXPORTERS[chosen]
    if framework != source.framework:
        raise ConvertError(
            source.name, f"the exporter {chosen} takes {framework} models, but this is a {source.framework} model"
        )
    if source.kind not in _KINDS.get(chosen, (source.kind,)):
        kinds = " or ".join(_KINDS[chosen])
        raise ConvertError(source.name, f"the exporter {chosen} takes a {kinds}, but this is a {source.kind}")
    return chosen


def load_part(source: Source, place: str) -> Any:
    """What stands at ``module:name`` of an exporter; raises `ConvertError` where its framework is not installed."""
    module, _, function = place.partition(":")
    try:
        return getattr(import_module(module), function)
    except ModuleNotFoundError as error:
        extra = source.framework
        raise ConvertError(source.name, f"{error.name} is not installed: pip install 'assay[{extra}]'") from error
