"""One manifest's certification, step by step: what `assay certify` runs in one go and pytest as one item a step."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from assay.conformance.accuracy.check import Form, check_accuracy
from assay.conformance.accuracy.metrics import Metric
from assay.conformance.accuracy.quantization import QuantizationError, quantize_bundle
from assay.conformance.candidate import Candidate, open_candidate
from assay.conformance.certificate import write_certificate
from assay.conformance.data import Dataset, load_dataset
from assay.conformance.environment import describe_environment
from assay.conformance.isolation import Worker, WorkerDied, WorkerTimedOut
from assay.conformance.latency.check import Timing, check_latency
from assay.conformance.lint import lint
from assay.conformance.manifest import Manifest, ManifestError, Other
from assay.conformance.parity.follow_up import Orders, follow_up
from assay.conformance.parity.judge import Judge, check_parity, judge_interface
from assay.conformance.parity.probes import graph_constants
from assay.conformance.parity.repair import Workshop
from assay.conformance.providers.catalogue import require_known
from assay.conformance.remote_source import RemoteSource, opened_reference
from assay.conformance.result import CheckResult, Finding, Result, Verdict, verdict_of
from assay.conformance.source_process import Order
from assay.converters.bundle import MODEL, Bundle, open_bundle
from assay.converters.files import UnwritableError, new_folder, read_model
from assay.converters.sources.import_string import call, is_import_string
from assay.specs.errors import AssayError
from assay.specs.interface import Interface
from assay.specs.tasks import load_task

Tell = Callable[[str], None]
_CONVERSION_SECONDS = 4 * 3600.0


@dataclass(frozen=True)
class Step:
    """One check on one provider; ``other`` names the model beside ours that it judges."""

    check: str
    provider: str | None = None
    other: str | None = None

    @property
    def name(self) -> str:
        """``parity[cpu]``."""
        return self.check if self.provider is None else f"{self.check}[{self.provider}]"


def plan(manifest: Manifest) -> tuple[Step, ...]:
    """The steps that a manifest asks for, in order; nothing is opened for it."""
    providers = manifest.providers
    others = [name for name, other in manifest.others.items() if other.parity]
    steps = [Step("convert" if manifest.model is None else "open"), Step("lint")]
    steps += [Step("parity", provider) for provider in providers]
    steps += [Step(f"parity:{name}", provider, name) for name in others for provider in providers]
    if manifest.accuracy is not None:
        steps += [Step("accuracy", provider) for provider in providers]
    return (*steps, *(Step("latency", provider) for provider in providers))


class Certification:
    """Opens, converts and judges when a step needs it, and keeps what the next step needs."""

    def __init__(self, manifest: Manifest, *, trust_source: bool = False, tell: Tell | None = None) -> None:
        require_known(tuple(manifest.providers))
        self.manifest, self.trust_source = manifest, trust_source
        self.tell: Tell = tell or (lambda _step: None)
        self._opened = ExitStack()
        self._work = tempfile.TemporaryDirectory(prefix="assay-", ignore_cleanup_errors=True)
        self.worker = Worker()
        self._explained: set[str] = set()

    def close(self) -> None:
        """End the processes and remove the working folder."""
        self._opened.close()
        self.worker.close()
        self._work.cleanup()

    def run(self, step: Step) -> CheckResult:
        """Run one step. What can't be opened or converted raises `AssayError`; any other error is a finding."""
        self.tell(step.name)
        try:
            return self._checks[step.check.partition(":")[0]](step)
        except AssayError:
            raise
        except Exception as error:  # noqa: BLE001 - an error that hinders judgement is never a pass, nor the end
            finding = Finding(
                code="PA016", severity="warning", message=f"the check could not be run: {type(error).__name__}: {error}"
            )
            return CheckResult(
                check=step.check, provider=step.provider, verdict=Verdict.INCONCLUSIVE, findings=(finding,)
            )

    @property
    def _checks(self) -> dict[str, Callable[[Step], CheckResult]]:
        return {
            "convert": self._convert,
            "open": self._open,
            "lint": self._lint,
            "parity": self._parity,
            "accuracy": self._accuracy,
            "latency": self._latency,
        }

    @cached_property
    def source(self) -> RemoteSource:
        """The manifest's source, opened in a process of its own."""
        task, manifest = load_task(self.manifest.task), self.manifest
        opened = opened_reference(
            manifest.source,
            dict(manifest.inputs) or None,
            manifest.outputs or None,
            trust=self.trust_source,
            folders=manifest.folders,
            output_hints=[tensor.name for tensor in task.outputs if not tensor.optional],
        )
        source = self._opened.enter_context(opened)
        assert isinstance(source, RemoteSource)  # a manifest gives its source by name
        return source

    @cached_property
    def candidate(self) -> Candidate:
        """The model on trial: the converted bundle, or the manifest's ready model."""
        manifest = self.manifest
        if manifest.model is not None:
            opened = open_candidate(_locate(manifest.model, manifest.folders))
            return Candidate(opened.path, opened.interface, manifest.name)
        fields = {"preprocessing": manifest.preprocessing, "postprocessing": manifest.postprocessing}
        order = Order(self._folder / "bundle", manifest.task, manifest.exporter, manifest.opset, fields)
        self.source.convert(order, _CONVERSION_SECONDS)
        bundle = open_bundle(order.output)
        return Candidate(bundle.model, bundle.interface, manifest.name)

    @cached_property
    def judge(self) -> Judge:
        """The reference with its probes."""
        interface = judge_interface(self.source, self.interface)
        samples = self.evaluation.inputs if self.evaluation else None
        return Judge(self.source, interface, samples, self.tell, constants=graph_constants(self.candidate.path))

    @property
    def interface(self) -> Interface:
        """The interface of the model on trial."""
        return self.candidate.interface

    @cached_property
    def evaluation(self) -> Dataset | None:
        """The evaluation data, where the manifest names some."""
        return self._dataset(self.manifest.data.evaluation)

    @cached_property
    def forms(self) -> list[Form]:
        """The quantized forms, made once for all providers."""
        variants = self.manifest.accuracy.variants if self.manifest.accuracy else {}
        return [self._form(name, variant.max_drop, variant.required) for name, variant in variants.items()]

    def others(self) -> dict[str, Candidate]:
        """The models beside ours, under our names of inputs and outputs."""
        return {name: self._other(name, other) for name, other in self.manifest.others.items()}

    def result(self, checks: list[CheckResult]) -> Result:
        """The result of these checks."""
        return Result.of(checks, self.candidate.files(), self.source.describe(), describe_environment())

    def write(self, result: Result, output: Path, key: Path | None = None) -> None:
        """Write bundle, certificate, quantized bundles, result and reports as one folder, whole or not at all."""
        from assay.conformance.reports import write_reports

        with new_folder(output) as folder:
            for part in sorted(self._folder.iterdir()):
                shutil.copytree(part, folder / part.name)
            if (folder / "bundle").is_dir():
                write_certificate(Bundle(folder / "bundle", self.interface), result, key)
            write_reports([(self.manifest.name, result)], folder)

    @property
    def _folder(self) -> Path:
        return Path(self._work.name)

    def _convert(self, step: Step) -> CheckResult:
        start = time.perf_counter()
        candidate = self.candidate
        measured = {
            "seconds": time.perf_counter() - start,
            "framework": self.source.framework,
            **_graph_facts(candidate),
        }
        models = [{"name": "ours", **_graph_facts(candidate)}]
        models += [{"name": name, **_graph_facts(other)} for name, other in self.others().items()]
        return CheckResult(
            check=step.check,
            verdict=Verdict.PASS,
            measurements={**measured, "models": models, "interface": self.interface.to_json()},
        )

    def _open(self, step: Step) -> CheckResult:
        return CheckResult(check=step.check, verdict=Verdict.PASS, measurements=_graph_facts(self.candidate))

    def _lint(self, step: Step) -> CheckResult:
        path, options = self.candidate.path, self.manifest.lint
        findings = lint(path.parent if path.name == "model.onnx" else path, options.target, ignore=options.ignore)
        counts = {f"{kind}s": sum(f.severity == kind for f in findings) for kind in ("error", "warning")}
        measured = {**counts, "ignored": dict(options.ignore)}
        return CheckResult(
            check=step.check, verdict=verdict_of(findings), findings=tuple(findings), measurements=measured
        )

    def _parity(self, step: Step) -> CheckResult:
        candidate = self.candidate if step.other is None else self.others()[step.other]
        assert step.provider is not None
        check = check_parity(self.judge, candidate, step.provider, self.worker, step.check)
        if check.verdict is Verdict.PASS or step.check in self._explained:
            return check
        self._explained.add(step.check)  # other providers mostly fail alike, and an explanation takes its time
        workshop = Workshop(self.judge, self.worker, (step.provider,), self.tell)
        return follow_up(workshop, candidate, [check], Orders())[0]

    def _accuracy(self, step: Step) -> CheckResult:
        accuracy, data = self.manifest.accuracy, self.evaluation
        assert accuracy is not None
        assert data is not None
        assert step.provider is not None
        metric = Metric(accuracy.metric, accuracy.output, accuracy.axis, accuracy.threshold)
        return check_accuracy(metric, self.candidate, self.forms, data, step.provider, self.worker)

    def _latency(self, step: Step) -> CheckResult:
        limits = self.manifest.latency
        timing = Timing(limits.samples, limits.threads, limits.max_median_ms, limits.max_p95_ms)
        quantized = {form.name: form.candidate for form in self.forms if form.candidate is not None}
        models = {"ours": self.candidate, **self.others(), **quantized}
        assert step.provider is not None
        return check_latency(timing, models, judge_interface(self.source, self.interface), step.provider, self.worker)

    def _form(self, name: str, max_drop: float, required: bool) -> Form:
        self.tell(f"quantizing {name}")
        bundle = Bundle(self.candidate.path.parent, self.interface)
        calibration = self._dataset(self.manifest.data.calibration)
        try:
            quantized = quantize_bundle(bundle, self._folder / name, name, calibration, self.worker)
        except (QuantizationError, WorkerDied, WorkerTimedOut) as error:
            return Form(name, None, max_drop, required, str(error))
        return Form(name, Candidate(quantized.model, self.interface, name), max_drop, required)

    def _other(self, name: str, other: Other) -> Candidate:
        path = _locate(other.model, self.manifest.folders)
        constants = {key: np.asarray(value) for key, value in other.constants.items()}
        return Candidate(path, self.interface, name, other.inputs, other.outputs, constants)

    def _dataset(self, reference: str | None) -> Dataset | None:
        return load_dataset(reference, self.interface, self.manifest.folders) if reference else None


def require_replaceable(output: Path) -> None:
    """Raise `UnwritableError` where something lies at the path that no certification wrote."""
    if not output.exists():
        return
    if not output.is_dir():
        raise UnwritableError(output, "it is a file, but should be a folder")
    foreign = sorted(entry.name for entry in output.iterdir() if not _is_written(entry))
    if foreign:
        raise UnwritableError(output, f"it holds {foreign[0]}, which is no certification's; it is not overwritten")


def _is_written(entry: Path) -> bool:
    """Whether a certification writes such an entry: a bundle, or a file of its reports."""
    from assay.conformance.reports.folder import is_report

    if entry.is_dir():
        return not entry.is_symlink() and (entry / MODEL).is_file()
    return is_report(entry.name)


def _graph_facts(candidate: Candidate) -> dict[str, Any]:
    model = read_model(candidate.path)
    weights = [value.const_value for value in model.graph.initializers.values() if value.const_value is not None]
    return {
        "exporter": model.metadata_props.get("assay.exporter"),
        "opset": model.opset_imports.get(""),
        "nodes": sum(1 for _ in model.graph.all_nodes()),
        "parameters": int(sum(weight.size for weight in weights)),
        "bytes": candidate.path.stat().st_size,
    }


def _locate(model: str, folders: tuple[Path, ...]) -> Path:
    if not is_import_string(model):
        return next((folder / model for folder in folders if (folder / model).exists()), folders[0] / model)
    found = call(model, folders)
    if not isinstance(found, str | Path):
        raise ManifestError(model, f"gives a {type(found).__name__}, but should give the path of an ONNX model")
    return Path(found)
