"""What runs inside the source's worker: the source, opened once and kept with its twins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from assay.conformance.exchange import Mapped, read_arrays, write_arrays
from assay.converters.convert import convert_source
from assay.converters.exporter import ConvertError
from assay.converters.silence import STDERR, STDOUT, silenced
from assay.converters.sources import Source, open_source
from assay.converters.sources.base import Inputs, Runnable
from assay.converters.tensorflow_banner import hide_tensorflow_banner
from assay.specs.errors import AssayError, brief
from assay.specs.interface import TensorSpec
from assay.specs.tasks import load_task

_KEPT_TWINS = 8  # more than the oracle holds at a time


@dataclass(frozen=True)
class Opening:
    """What a source is opened with; two of the same key are the same source."""

    key: str
    reference: str = field(compare=False)
    inputs: Inputs | None = field(compare=False)
    trust: bool = field(compare=False)
    folders: tuple[Path, ...] = field(compare=False)
    hints: tuple[TensorSpec, ...] = field(compare=False)
    output_hints: tuple[str, ...] = field(compare=False)
    outputs: tuple[str, ...] | None = field(default=None, compare=False)

    def open(self) -> Source:
        """Open it in this process; raises `AssayError`."""
        return open_source(
            self.reference,
            self.inputs,
            self.outputs,
            trust=self.trust,
            folders=self.folders,
            hints=self.hints,
            output_hints=self.output_hints,
        )


@dataclass(frozen=True)
class Twin:
    """A way to run nearly alike, by the name of the source's method that makes it; None is the source itself."""

    method: str | None = None
    seed: int | None = None


@dataclass(frozen=True)
class SourceFacts:
    """What a source says of itself before it runs."""

    name: str
    framework: str
    kind: str
    inputs: tuple[TensorSpec, ...]


@dataclass(frozen=True)
class Ran:
    """Outputs in files, what a twin kept in the source's own precision, and whether the outputs' names are its own."""

    outputs: Mapping[str, Mapped]
    kept: Sequence[str] | None
    named: bool


class SourceRaised(Exception):
    """What the model's own code raised: the name of its class and its first line."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(kind, sentence)
        self.kind, self.sentence = kind, sentence

    def __str__(self) -> str:
        return self.sentence


def describe_source(opening: Opening) -> SourceFacts:
    """Open the source and say what it is; raises `AssayError`."""
    source = _source(opening)
    return SourceFacts(source.name, source.framework, source.kind, source.inputs)


def has_twin(opening: Opening, twin: Twin) -> bool:
    """Whether the source can run like that."""
    return _runnable(opening, twin) is not None


def run_source(opening: Opening, twin: Twin, feeds: Mapping[str, Mapped], outputs: Path) -> Ran:
    """One forward pass; every output goes to a file under ``outputs``. Raises `AssayError` or `SourceRaised`."""
    source, runnable = _source(opening), _runnable(opening, twin)
    if runnable is None:
        raise SourceRaised("LookupError", f"there is no twin {twin.method}")
    try:
        written = write_arrays(runnable.run(read_arrays(feeds)), outputs)
    except AssayError:
        raise
    except Exception as error:  # noqa: BLE001 - the model's own, read back without its framework
        raise SourceRaised(type(error).__name__, brief(error)) from None
    return Ran(written, getattr(runnable, "kept", None), source.named_outputs)


def describe_reference(opening: Opening) -> dict[str, Any]:
    """The part ``reference`` of a result."""
    return _source(opening).describe()


@dataclass(frozen=True)
class Order:
    """How a source is converted, and to which bundle."""

    output: Path
    task: str
    exporter: str | None = None
    opset: int | None = None
    fields: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def convert(source: Source, order: Order) -> None:
    """Convert to the bundle; raises `AssayError`. What a framework prints there is nobody's."""
    try:
        with silenced(STDOUT), silenced(STDERR):
            convert_source(source, order.output, load_task(order.task), order.opset, order.exporter, order.fields)
    except AssayError:
        raise
    except Exception as error:  # noqa: BLE001 - the isolation boundary: a converter that crashes has not converted
        raise ConvertError(source.name, f"{type(error).__name__}: {brief(error)}") from None


def convert_opened(opening: Opening, order: Order) -> None:
    """The same for the source that is kept here."""
    convert(_source(opening), order)


def source_settings(opening: Opening) -> Mapping[str, Mapping[str, float | str]]:
    """What the layers were told."""
    return _source(opening).settings()


def ask_source(opening: Opening, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """What the function makes of the source."""
    return function(_source(opening), *args, **kwargs)


@lru_cache(maxsize=1)
def _source(opening: Opening) -> Source:
    hide_tensorflow_banner()
    return opening.open()


@lru_cache(maxsize=_KEPT_TWINS)
def _runnable(opening: Opening, twin: Twin) -> Runnable | None:
    source = _source(opening)
    if twin.method is None:
        return source
    make = getattr(source, twin.method, None)
    if make is None:
        return None
    made: Runnable | None = make() if twin.seed is None else make(twin.seed)
    return made
