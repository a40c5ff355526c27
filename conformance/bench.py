"""Time one model, or several side by side, by a model's own interface."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from assay.conformance.candidate import Candidate, open_candidate
from assay.conformance.environment import describe_environment
from assay.conformance.isolation import Worker
from assay.conformance.latency.check import Timing, check_latency
from assay.conformance.providers.catalogue import require_known
from assay.conformance.result import CheckResult, Result, Verdict
from assay.converters.files import sha256
from assay.converters.sources.base import resolve_inputs
from assay.specs.errors import AssayError
from assay.specs.interface import Interface, TensorSpec


class BenchError(AssayError):
    """A model that can't be timed on the inputs of the first one."""

    def __init__(self, model: str, reason: str) -> None:
        super().__init__(model, reason)
        self.model, self.reason = model, reason

    def __str__(self) -> str:
        return f"{self.model} {self.reason}"


def bench(
    model: str | os.PathLike[str],
    against: Sequence[str | os.PathLike[str]] = (),
    providers: Sequence[str] = ("cpu",),
    timing: Timing | None = None,
    inputs: Mapping[str, str | TensorSpec] | None = None,
) -> Result:
    """Time a model (a ``.onnx`` file or a bundle) and those it is compared with, interleaved, on each provider.

    ``inputs`` says shapes and ranges that the model itself does not say; a batch axis is timed at one sample. Raises
    `AssayError` where a model can't be opened or has other inputs; a model that can't be run is a verdict.
    """
    require_known(tuple(providers))
    opened = [open_candidate(path) for path in (model, *against)]
    interface = _interface(opened[0], inputs)
    for other in opened[1:]:
        _require_same_inputs(other, opened[0])
    models = dict(zip(short_names([candidate.path for candidate in opened]), opened, strict=True))
    with Worker() as worker:
        checks = [check_latency(timing or Timing(), models, interface, provider, worker) for provider in providers]
    files, digests = opened[0].files(), {name: sha256(one.path) for name, one in models.items()}
    reference = {"kind": "models side by side", "models": digests}
    return Result.of(map(_with_all_timed, checks), files, reference, describe_environment())


def short_names(paths: Sequence[Path]) -> list[str]:
    """A name for each model: its bundle or file, with as many folders before it as tell them apart, else a number."""
    parts = [(path.parent if path.name == "model.onnx" else path).resolve().parts for path in paths]
    for depth in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-depth:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    return [f"{part[-1]} ({number})" for number, part in enumerate(parts, 1)]


def _interface(candidate: Candidate, inputs: Mapping[str, str | TensorSpec] | None) -> Interface:
    specs = resolve_inputs(candidate.name, candidate.interface.inputs, inputs)
    for spec in specs:
        if spec.dims is None:
            raise BenchError(candidate.name, f"does not say the shape of {spec.name}; give it with --input")
    return replace(candidate.interface, inputs=specs)


def _require_same_inputs(other: Candidate, first: Candidate) -> None:
    theirs, ours = (_dtypes(candidate) for candidate in (other, first))
    if theirs != ours:
        raise BenchError(
            other.name, f"takes {_listed(theirs)}, but should take {_listed(ours)} as {first.name} does, to be compared"
        )


def _dtypes(candidate: Candidate) -> dict[str, str]:
    return {spec.name: spec.dtype for spec in candidate.interface.inputs}


def _listed(dtypes: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({dtype})" for name, dtype in dtypes.items()) or "nothing"


def _with_all_timed(check: CheckResult) -> CheckResult:
    """A comparison that lacks a model asked for is no pass."""
    lacks = check.verdict is Verdict.PASS and any(finding.code == "LT002" for finding in check.findings)
    return check.model_copy(update={"verdict": Verdict.INCONCLUSIVE}) if lacks else check
