"""What can be run on this machine: Python, packages, providers, the processor, and what is wrong with them."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import requires
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

from packaging.requirements import Requirement

from assay.conformance.environment import describe_environment, installed
from assay.conformance.providers.catalogue import PROVIDERS
from assay.specs.errors import brief

if TYPE_CHECKING:
    from assay.conformance.isolation import Worker
    from assay.conformance.result import Severity

_OLDEST_PYTHON = (3, 11)
_TIME_LIMIT = 60.0
_EXTRAS = ("pytorch", "tensorflow")
# each of these distributions brings the module onnxruntime
_RUNTIMES = (
    *("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime-directml", "onnxruntime-qnn"),
    *("onnxruntime-migraphx", "onnxruntime-webgpu"),
)
_NATIVE = {"numpy": "numpy", "onnx": "onnx", "onnxruntime": "onnxruntime", "scipy": "scipy"}
_DOT_PRODUCTS = ("avx512_vnni", "avx_vnni", "amx_int8", "i8mm", "asimddp")
_HOW_TO_HAVE = {
    "cuda": "pip install onnxruntime-gpu",
    "tensorrt": "pip install onnxruntime-gpu, and TensorRT",
    "openvino": "pip install onnxruntime-openvino",
    "migraphx": "pip install onnxruntime-migraphx",
    "directml": "pip install onnxruntime-directml (Windows)",
    "qnn": "pip install onnxruntime-qnn (Windows on Arm)",
    "webgpu": "pip install onnxruntime-webgpu",
    "coreml": "pip install onnxruntime (macOS)",
    "xnnpack": "a build of ONNX Runtime with XNNPACK",
}

State = Literal["ok", "missing", "untested", "broken"]


@dataclass(frozen=True)
class Package:
    """A package that Assay needs (``extra`` None) or that an extra brings, and how it is here."""

    name: str
    wanted: str
    version: str | None
    state: State
    extra: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Provider:
    """A provider by its name in Assay; ``reason`` says why it can't be used, or how to have it."""

    name: str
    usable: bool
    available: bool
    reason: str | None = None


@dataclass(frozen=True)
class Problem:
    """Something that is wrong; an error hinders Assay itself."""

    severity: Severity
    sentence: str


@dataclass(frozen=True)
class Diagnosis:
    """All that was found."""

    environment: Mapping[str, Any]
    packages: tuple[Package, ...]
    providers: tuple[Provider, ...]
    devices: tuple[str, ...]
    int8: str
    problems: tuple[Problem, ...]

    @property
    def is_sound(self) -> bool:
        """Whether Assay itself can work here."""
        return all(problem.severity != "error" for problem in self.problems)

    def to_json(self) -> dict[str, Any]:
        """The diagnosis as JSON values."""
        return {**asdict(self), "sound": self.is_sound}


def diagnose() -> Diagnosis:
    """Look at packages by their metadata, and open a model on each provider; no framework is imported."""
    environment = describe_environment()
    packages = tuple(_packages())
    works = all(package.state in ("ok", "untested") for package in packages if package.extra is None)
    providers, devices = (tuple(_providers()), tuple(_devices())) if works else ((), ())
    problems = (*_problems_of_python(), *_problems_of_packages(packages), *_problems_of_providers(providers))
    return Diagnosis(environment, packages, providers, devices, _int8(environment["cpu_flags"]), problems)


def _packages() -> Iterator[Package]:
    for text in requires("assay") or ():
        requirement = Requirement(text)
        for extra in (None, *_EXTRAS):
            if _belongs(requirement, extra):
                yield _package(requirement, extra)


def _belongs(requirement: Requirement, extra: str | None) -> bool:
    marker = requirement.marker
    if extra is None:
        return marker is None or marker.evaluate({"extra": ""})
    return marker is not None and marker.evaluate({"extra": extra}) and not marker.evaluate({"extra": ""})


def _package(requirement: Requirement, extra: str | None) -> Package:
    name, wanted = requirement.name, str(requirement.specifier)
    version = next((found for one in _distributions(name) if (found := installed(one))), None)
    if version is None:
        return Package(name, wanted, None, "missing", extra)
    reason = _why_broken(name)
    if reason is not None:
        return Package(name, wanted, version, "broken", extra, reason)
    tested = requirement.specifier.contains(version, prereleases=True)
    return Package(name, wanted, version, "ok" if tested else "untested", extra)


def _distributions(name: str) -> Sequence[str]:
    return _RUNTIMES if name == "onnxruntime" else (name,)


def _why_broken(name: str) -> str | None:
    """Why a package with compiled parts can't be imported; None where it can, or has no such parts."""
    if name not in _NATIVE:
        return None
    try:
        import_module(_NATIVE[name])
    except Exception as error:  # noqa: BLE001 - what a broken package raises is not known beforehand
        return f"{type(error).__name__}: {brief(error)}"
    return None


def _providers() -> Iterator[Provider]:
    import onnxruntime as ort

    from assay.conformance.isolation import Worker

    present = ort.get_available_providers()
    with Worker(_TIME_LIMIT) as worker, TemporaryDirectory(prefix="assay-") as folder:
        model = _smallest_model(Path(folder) / "identity.onnx")
        for name, full in PROVIDERS.items():
            if full in present:
                reason = _why_not_opened(worker, model, name)
                yield Provider(name, reason is None, True, reason)
            else:
                yield Provider(name, False, False, _HOW_TO_HAVE.get(name))


def _devices() -> list[str]:
    """The processors that ONNX Runtime sees, each with the provider that would use it."""
    import onnxruntime as ort

    seen = {f"{one.device.type.name} ({one.ep_name})" for one in ort.get_ep_devices()}
    return sorted(seen)


def _smallest_model(path: Path) -> Path:
    from onnx import parser

    text = '<ir_version: 8, opset_import: ["" : 17]> g (float[1] x) => (float[1] y) { y = Identity(x) }'
    path.write_bytes(parser.parse_model(text).SerializeToString())
    return path


def _why_not_opened(worker: Worker, model: Path, provider: str) -> str | None:
    """A provider that is listed may still lack its driver, and ONNX Runtime then takes the CPU without a word."""
    from assay.conformance.isolation import WorkerDied, WorkerTimedOut
    from assay.conformance.providers.runtime import RuntimeRefused, SessionKey, describe_session

    try:
        taken = worker.call(describe_session, SessionKey(model, provider)).providers[0]
    except (RuntimeRefused, WorkerDied, WorkerTimedOut) as error:
        return f"it opens no model: {error}"
    if taken != PROVIDERS[provider]:
        return f"ONNX Runtime lists it, but takes {taken} instead; its driver or libraries are missing"
    return None


def _int8(flags: Sequence[str]) -> str:
    """What the processor has for int8 kernels."""
    found = [flag for flag in _DOT_PRODUCTS if flag in flags]
    if found:
        return f"dot products of int8 in hardware ({', '.join(found)})"
    return "no dot products of int8 in hardware: quantized models may be no faster here"


def _problems_of_python() -> Iterator[Problem]:
    if sys.version_info < _OLDEST_PYTHON:
        wanted = ".".join(map(str, _OLDEST_PYTHON))
        yield Problem("error", f"Python is {platform.python_version()}, but should be at least {wanted}")


def _problems_of_packages(packages: Sequence[Package]) -> Iterator[Problem]:
    several = [f"{name} {version}" for name in _RUNTIMES if (version := installed(name))]
    if len(several) > 1:
        yield Problem(
            "warning", f"{' and '.join(several)} overwrite each other's files, but only one should be installed"
        )
    for package in packages:
        severity: Severity = "error" if package.extra is None else "warning"
        if package.state == "missing" and package.extra is None:
            how = f"pip install '{package.name}{package.wanted}'"
            yield Problem("error", f"{package.name} is missing, but should be there: {how}")
        elif package.state == "untested":
            sentence = f"{package.name} is {package.version}, but should be {package.wanted}, which was tested"
            yield Problem(severity, sentence)
        elif package.state == "broken":
            yield Problem("error", f"{package.name} {package.version} can't be imported: {package.reason}")


def _problems_of_providers(providers: Sequence[Provider]) -> Iterator[Problem]:
    for provider in providers:
        if provider.available and not provider.usable:
            severity: Severity = "error" if provider.name == "cpu" else "warning"
            yield Problem(severity, f"provider {provider.name} can't be used: {provider.reason}")
