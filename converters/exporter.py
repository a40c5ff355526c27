"""The one interface that every exporter stands behind: an opened source in, a raw ONNX graph out."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from assay.specs.errors import AssayError

if TYPE_CHECKING:
    import onnx_ir as ir

    from assay.converters.sources.base import Source


@dataclass(frozen=True)
class Exported:
    """A raw model, the names of its graph inputs in the source's order, and the exporter that wrote it.

    ``shards`` are files that hold weights which the model points to as external data; they become files of the bundle.
    """

    model: ir.Model
    inputs: tuple[str, ...]
    exporter: str
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
# exporters that take some kinds of their framework's sources alone
_KINDS = {
    "assay.pytorch": ("module", "exported-program", "checkpoint"),
    "torch.onnx": ("module", "exported-program"),
    "torch.onnx.torchscript": ("module", "exported-program", "torchscript"),
    "torch.onnx.keras": ("keras",),
}


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


def find_exporter(source: Source, name: str | None) -> Exporter:
    """The exporter of this name, or the one that suits the source; raises `ConvertError`."""
    chosen = name or _DEFAULTS.get(source.kind) or _DEFAULTS[source.framework]
    if chosen not in _EXPORTERS:
        raise ConvertError(source.name, f"there is no exporter {chosen!r}, but there are {', '.join(_EXPORTERS)}")
    framework, place = _EXPORTERS[chosen]
    if framework != source.framework:
        raise ConvertError(
            source.name, f"the exporter {chosen} takes {framework} models, but this is a {source.framework} model"
        )
    if source.kind not in _KINDS.get(chosen, (source.kind,)):
        kinds = " or ".join(_KINDS[chosen])
        raise ConvertError(source.name, f"the exporter {chosen} takes a {kinds}, but this is a {source.kind}")
    module, _, function = place.partition(":")
    try:
        exporter: Exporter = getattr(import_module(module), function)
    except ModuleNotFoundError as error:
        raise ConvertError(source.name, f"{error.name} is not installed: pip install 'assay[{framework}]'") from error
    return exporter
