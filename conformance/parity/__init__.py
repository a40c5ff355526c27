"""Parity: whether the ONNX model is the same model as its source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assay.conformance.candidate import open_candidate
from assay.conformance.environment import describe_environment
from assay.conformance.isolation import Worker
from assay.conformance.parity.follow_up import Orders, follow_up
from assay.conformance.parity.judge import Judge, Tell, check_parity, judge_interface
from assay.conformance.parity.repair import Workshop
from assay.conformance.providers.catalogue import require_known
from assay.conformance.result import Result
from assay.converters.sources import open_source
from assay.converters.sources.base import Inputs, SourceError

__all__ = ["check"]


def check(
    model: Any,
    reference: Any,
    providers: Sequence[str] = ("cpu",),
    *,
    inputs: Inputs | None = None,
    samples: Mapping[str, np.ndarray] | None = None,
    trust_source: bool = False,
    time_limit: float = 600.0,
    folders: Sequence[Path] = (),
    tell: Tell | None = None,
    repro: Path | None = None,
    repair: Path | None = None,
) -> Result:
    """Compare a model (path of a ``.onnx`` file or bundle, or a `Bundle`) with its source, on each provider.

    ``reference`` is any source form; ``inputs`` says shapes that the source itself does not say; ``samples`` are real
    inputs by name, with the batch axis first. ``time_limit`` is what one run in the worker may take, in seconds.
    Of a model that fails, ``repro`` is a folder for the minimal case, and ``repair`` a path for a repaired model.
    Raises `AssayError` where one of the two can't be opened; what is wrong with the model is a verdict.
    """
    require_known(tuple(providers))
    candidate = open_candidate(model)
    source = open_source(
        reference,
        inputs,
        trust=trust_source,
        folders=folders,
        hints=candidate.interface.inputs,
        output_hints=[spec.name for spec in candidate.interface.outputs],
    )
    interface = judge_interface(source, candidate.interface)
    if any(spec.dims is None for spec in interface.inputs):
        raise SourceError(
            source.name, "does not say the shapes of its inputs, and neither does the model; give them with --input"
        )
    orders = Orders(repro, repair)
    orders.require_possible()
    judge = Judge(source, interface, samples, tell)
    with Worker(time_limit) as worker:
        checks = [check_parity(judge, candidate, provider, worker) for provider in providers]
        checks = follow_up(Workshop(judge, worker, providers, tell), candidate, checks, orders)
    return Result.of(checks, candidate.files(), source.describe(), describe_environment())
