"""Each conversion in a process of its own, whose time and peak of memory are measured."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from assay.conformance.comparison.comparison import Conversion
from assay.conformance.isolation import Worker, WorkerDied, WorkerTimedOut
from assay.converters.convert import Fields, convert_source
from assay.converters.exporter import ConvertError
from assay.converters.files import read_model
from assay.converters.silence import STDERR, STDOUT, silenced
from assay.converters.sources import open_source
from assay.converters.sources.base import Inputs
from assay.specs.errors import AssayError, brief
from assay.specs.tasks import load_task

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Order:
    """How sources are opened and converted: the same for all, but for source and exporter."""

    source: Any
    exporter: str | None = None
    task: str = "generic"
    inputs: Inputs | None = None
    opset: int | None = None
    trust: bool = False
    time_limit: float = 600.0
    outputs: Sequence[str] | None = None
    fields: Fields | None = None

    def of(self, source: Any, exporter: str | None = None) -> Order:
        """The same order for another source or exporter."""
        return replace(self, source=source, exporter=exporter)

    @property
    def is_live(self) -> bool:
        """Whether the source is a live object, which stays in the process where it lives."""
        return not isinstance(self.source, str)


def framework_of(order: Order) -> tuple[str, str]:
    """Framework and kind of a source; raises `AssayError` where it can't be opened."""
    return _describe(order) if order.is_live else _apart(order, _silently, _describe, order)


def convert_apart(order: Order, output: Path) -> Conversion:
    """Convert to the bundle ``output``; raises `AssayError` where that fails, crashes or takes too long."""
    if order.is_live:
        return _without_peaks(_convert(order, output))
    return _apart(order, _silently, _convert, order, output)


def _without_peaks(conversion: Conversion) -> Conversion:
    """Without the peaks of a process that held more than the conversion."""
    return conversion.model_copy(update={"peak_bytes": None, "loaded_bytes": None})


def _apart(order: Order, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    with Worker(order.time_limit) as worker:
        try:
            return worker.call(function, *args, **kwargs)
        except (WorkerDied, WorkerTimedOut) as error:
            raise ConvertError(str(order.source), str(error)) from None


def _silently(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """What a source or framework prints there would get between the lines of the report."""
    with silenced(STDOUT), silenced(STDERR):
        return function(*args, **kwargs)


def _describe(order: Order) -> tuple[str, str]:
    source = open_source(order.source, order.inputs, trust=order.trust)
    return source.framework, source.kind


def _convert(order: Order, output: Path) -> Conversion:
    task = load_task(order.task)
    names = [tensor.name for tensor in task.outputs if not tensor.optional]
    source = open_source(order.source, order.inputs, order.outputs, trust=order.trust, output_hints=names)
    loaded, start = _peak_bytes(), time.perf_counter()
    try:
        bundle = convert_source(source, output, task, order.opset, order.exporter, order.fields)
    except AssayError:
        raise
    except Exception as error:  # noqa: BLE001 - a converter that crashes has not converted
        raise ConvertError(source.name, f"{type(error).__name__}: {brief(error)}") from None
    seconds = time.perf_counter() - start
    exporter = read_model(bundle.model).metadata_props.get("assay.exporter") or source.framework
    return Conversion(exporter=exporter, seconds=seconds, peak_bytes=_peak_bytes(), loaded_bytes=loaded)


def _peak_bytes() -> int:
    """The peak of resident memory of this process or of the largest that it started, whichever is more."""
    unit = 1 if sys.platform == "darwin" else 1024
    own, started = (
        resource.getrusage(who).ru_maxrss * unit for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return max(_high_water_mark() or own, started)


def _high_water_mark() -> int | None:
    """Linux's mark of this program alone: ``ru_maxrss`` begins at the peak of the process that started it."""
    status = Path(f"/proc/{os.getpid()}/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.is_file() else []
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)
