"""Parity: whether the ONNX model is the same model as its source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assay.conformance.candidate import Candidate, open_candidate
from assay.conformance.environment import describe_environment
from assay.conformance.isolation import Worker
from assay.conformance.parity.excess import with_excess
from assay.conformance.parity.follow_up import Orders, follow_up
from assay.conformance.parity.judge import Judge, Tell, check_parity, judge_interface
from assay.conformance.parity.levels import level_of
from assay.conformance.parity.probes import graph_constants
from assay.conformance.parity.repair import Workshop
from assay.conformance.parity.search import Effort
from assay.conformance.parity.sweep import blame_providers
from assay.conformance.providers.catalogue import require_known
from assay.conformance.providers.runtime import import_runtime
from assay.conformance.remote_source import opened_reference
from assay.conformance.result import Result
from assay.converters.sources import Source
from assay.converters.sources.base import Inputs, SourceError
from assay.specs.interface import Interface

__all__ = ["check"]


def check(
    model: Any,
    reference: Any,
    providers: Sequence[str] = ("cpu",),
    level: str = "default",
    *,
    inputs: Inputs | None = None,
    samples: Mapping[str, np.ndarray] | None = None,
    trust_source: bool = False,
    time_limit: float = 600.0,
    search: float = 0.0,
    folders: Sequence[Path] = (),
    tell: Tell | None = None,
    repro: Path | None = None,
    repair: Path | None = None,
) -> Result:
    """Compare a model (path of a ``.onnx`` file or bundle, or a `Bundle`) with its source, on each provider.

    ``reference`` is any source form; given by path or import string it works in a process of its own, a live object in
    this one. ``inputs`` says shapes that the source itself does not say; ``samples`` are real
    inputs by name, with the batch axis first. ``level`` is ``quick``, ``default`` or ``thorough``. ``time_limit`` is
    what one run in the worker may take, ``search`` how long to hunt for a counter-example on each provider, in seconds.
    Of a model that fails, ``repro`` is a folder for the minimal case, and ``repair`` a path for a repaired model.
    Raises `AssayError` where one of the two can't be opened; what is wrong with the model is a verdict.
    """
    require_known(tuple(providers))
    level_of(level)
    orders = Orders(repro, repair)
    orders.require_possible()
    candidate = open_candidate(model)
    opened = opened_reference(
        reference,
        inputs,
        trust=trust_source,
        folders=folders,
        hints=candidate.interface.inputs,
        output_hints=[spec.name for spec in candidate.interface.outputs],
        time_limit=time_limit,
    )
    effort = Effort(search) if search > 0 else None
    with Worker(time_limit) as worker:
        worker.prepare(import_runtime)  # while the source is opened and run
        with opened as source:
            interface, constants = _interface(source, candidate), graph_constants(candidate.path)
            judge = Judge(source, interface, samples, tell, level, constants=constants)
            checks = [check_parity(judge, candidate, provider, worker, effort=effort) for provider in providers]
            checks = with_excess(checks, inputs or {}, candidate.interface)
            checks = follow_up(Workshop(judge, worker, providers, tell), candidate, checks, orders)
            return Result.of(blame_providers(checks), candidate.files(), source.describe(), describe_environment())


def _interface(source: Source, candidate: Candidate) -> Interface:
    interface = judge_interface(source, candidate.interface)
    if any(spec.dims is None for spec in interface.inputs):
        raise SourceError(
            source.name, "does not say the shapes of its inputs, and neither does the model; give them with --input"
        )
    return interface
