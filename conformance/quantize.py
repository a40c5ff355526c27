"""Quantize one bundle, and judge its accuracy against the float model where there is data to judge it on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.conformance.accuracy.check import Form, check_accuracy
from assay.conformance.accuracy.metrics import Metric
from assay.conformance.accuracy.quantization import STATIC, QuantizationError, quantize_bundle
from assay.conformance.candidate import Candidate
from assay.conformance.data import DataError, Dataset, load_dataset
from assay.conformance.environment import describe_environment
from assay.conformance.isolation import Worker, WorkerDied, WorkerTimedOut
from assay.conformance.providers.catalogue import require_known
from assay.conformance.result import CheckResult, Finding, Result, Verdict
from assay.converters.bundle import Bundle, open_bundle, require_replaceable
from assay.converters.files import UnwritableError, sha256

_NOT_JUDGED = "the accuracy was not judged, but should be on evaluation data: give --evaluation and --metric"


@dataclass(frozen=True)
class Trial:
    """How to judge a quantized model: data apart from calibration, a metric, the largest drop of its score."""

    evaluation: str
    metric: Metric
    max_drop: float = 0.01


def quantize(
    bundle: str | os.PathLike[str],
    output: str | os.PathLike[str],
    method: str = STATIC,
    *,
    calibration: str | None = None,
    trial: Trial | None = None,
    providers: Sequence[str] = ("cpu",),
) -> tuple[Bundle, Result]:
    """Write the quantized bundle and judge it; without ``trial`` the verdict is inconclusive.

    ``method`` is ``static-int8`` or ``dynamic-int8``; ``calibration`` and ``trial.evaluation`` are ``module:callable``
    or ``.npz`` paths. Raises `AssayError` where the bundle or the data can't be read, or the quantizer refuses; nothing
    is written then. A bundle that loses too much accuracy is written, and the verdict says so.
    """
    require_known(tuple(providers))
    original = open_bundle(bundle)
    _require_apart(original, Path(output), calibration, trial)
    calibrating, evaluating = (_load(it, original) for it in (calibration, trial.evaluation if trial else None))
    with Worker() as worker:
        try:
            quantized = quantize_bundle(original, Path(output), method, calibrating, worker)
        except (WorkerDied, WorkerTimedOut) as error:
            raise QuantizationError(f"{original.path} can't be quantized: {error}") from error
        ours = Candidate(original.model, original.interface, os.fspath(bundle))
        theirs = Candidate(quantized.model, original.interface, method)
        if trial is None or evaluating is None:
            checks = [_not_judged()]
        else:
            forms = [Form(method, theirs, trial.max_drop)]
            checks = [check_accuracy(trial.metric, ours, forms, evaluating, it, worker) for it in providers]
    model = Candidate(quantized.model, original.interface, os.fspath(output)).files()
    return quantized, Result.of(checks, model, _describe(original), describe_environment())


def _require_apart(bundle: Bundle, output: Path, calibration: str | None, trial: Trial | None) -> None:
    require_replaceable(output)
    if output.exists() and output.samefile(bundle.path):
        raise UnwritableError(output, "it is the float bundle, but should be a folder of its own")
    if trial is not None and trial.evaluation == calibration:
        raise DataError(trial.evaluation, "is for both calibration and evaluation, but the two should be apart")


def _load(reference: str | None, bundle: Bundle) -> Dataset | None:
    return None if reference is None else load_dataset(reference, bundle.interface)


def _not_judged() -> CheckResult:
    finding = Finding(code="DT001", severity="warning", message=_NOT_JUDGED)
    return CheckResult(check="accuracy", verdict=Verdict.INCONCLUSIVE, findings=(finding,))


def _describe(bundle: Bundle) -> dict[str, str]:
    return {"source": str(bundle.path), "framework": "onnx", "kind": "bundle", "sha256": sha256(bundle.model)}
