"""A manifest (``*.assay.yaml``): one model, its source, task, data, checks and limits."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from assay.specs.errors import AssayError

NAME_PATTERN = "*.assay.yaml"
_OURS = ("ours", "static-int8", "dynamic-int8")


class ManifestError(AssayError):
    """A manifest that can't be read; the sentence names the field."""

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = Path(path), reason

    def __str__(self) -> str:
        return f"{self.path} {self.reason}"


Text = Annotated[str, Field(min_length=1)]
Code = Annotated[str, Field(pattern=r"^[A-Z]{2}[0-9]{3}$")]
DataReference = Annotated[str, Field(pattern=r"(^[^:]+:[^:]+$|\.npz$)")]


class _Part(BaseModel):
    """As strict as the JSON Schema ``assay.manifest/v1``: no text for a number, no key that it does not have."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Data(_Part):
    """Import strings ``module:callable`` or ``.npz`` paths; the two sets must be apart."""

    calibration: DataReference | None = None
    evaluation: DataReference | None = None


class Lint(_Part):
    """The target whose limits count, and ignored rule codes, each with a reason."""

    target: Text | None = None
    ignore: dict[Code, Text] = Field(default_factory=dict)


class Parity(_Part):
    """How deep parity goes."""

    level: Literal["default"] = "default"


class Variant(_Part):
    """The largest drop of the score that a quantized form may show; a form that is not required only informs."""

    max_drop: Annotated[float, Field(ge=0)] = 0.01
    required: bool = True


class Accuracy(_Part):
    """How outputs become a score, and which quantized forms are judged by it."""

    metric: Literal["top1", "threshold", "agreement"]
    output: Text
    axis: int | None = None
    threshold: float | None = None
    variants: dict[Literal["static-int8", "dynamic-int8"], Variant] = Field(default_factory=dict)


class Latency(_Part):
    """Samples and threads of the timing; limits in milliseconds."""

    samples: Annotated[int, Field(ge=20)] = 200
    threads: Annotated[int, Field(ge=1)] = 1
    max_median_ms: Annotated[float, Field(gt=0)] | None = None
    max_p95_ms: Annotated[float, Field(gt=0)] | None = None


class Other(_Part):
    """Another ONNX model of the same source, shown beside ours; maps our names to its own."""

    model: Text
    inputs: dict[str, Text] = Field(default_factory=dict)
    outputs: dict[str, Text] = Field(default_factory=dict)
    constants: dict[str, Any] = Field(default_factory=dict)
    parity: bool = True


def _distinct(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("each provider should stand there once")
    return names


def _not_ours(name: str) -> str:
    """Refuse a name that the model on trial or one of its quantized forms has."""
    if name in _OURS:
        raise ValueError(f"another model can't have the name {name}, which is the certified one's")
    return name


class Manifest(_Part):
    """The content of the file; `path` is where it lies."""

    assay: Literal["manifest/v1"]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.\-]*$")]
    source: Text
    description: str = ""
    model: Text | None = None
    task: Text = "generic"
    inputs: dict[str, Text] = Field(default_factory=dict)
    outputs: list[Text] = Field(default_factory=list)
    preprocessing: dict[str, Any] = Field(default_factory=dict)
    postprocessing: dict[str, Any] = Field(default_factory=dict)
    data: Data = Data()
    providers: Annotated[list[Text], Field(min_length=1), AfterValidator(_distinct)] = ["cpu"]
    pythonpath: list[Text] = Field(default_factory=list)
    exporter: Text | None = None
    opset: Annotated[int, Field(ge=7)] | None = None
    lint: Lint = Lint()
    parity: Parity = Parity()
    accuracy: Accuracy | None = None
    latency: Latency = Latency()
    others: dict[Annotated[str, Field(min_length=1), AfterValidator(_not_ours)], Other] = Field(default_factory=dict)
    path: Path = Field(default=Path(), exclude=True)

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where import strings and relative paths are looked for: the manifest's folder, then its ``pythonpath``."""
        home = self.path.resolve().parent
        return (home, *(home / folder for folder in self.pythonpath))


def load_manifest(path: str | os.PathLike[str]) -> Manifest:
    """Read a manifest; raises `ManifestError` with the field that is wrong."""
    try:
        text = Path(path).read_text(encoding="utf-8")
        content = yaml.safe_load(text)
    except OSError as error:
        raise ManifestError(path, f"can't be read: {error.strerror or error}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ManifestError(path, f"is no YAML: {' '.join(str(error).split())[:200]}") from error
    if not isinstance(content, dict) or "path" in content:
        raise ManifestError(path, "is no manifest, but should be a mapping that starts with 'assay: manifest/v1'")
    try:
        manifest = Manifest.model_validate({**content, "path": Path(path)})
    except ValidationError as error:
        # a misspelt field comes first: it is why another one lacks
        first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
        field = ".".join(map(str, first["loc"])) or "the manifest"
        said = first["msg"].removeprefix("Value error, ")
        raise ManifestError(path, f"has a wrong field: {field}: {said[:1].lower()}{said[1:]}") from error
    _check_accuracy(manifest, path)
    return manifest


def _check_accuracy(manifest: Manifest, path: str | os.PathLike[str]) -> None:
    plan = manifest.accuracy
    if plan is None:
        return
    if manifest.data.evaluation is None:
        raise ManifestError(path, "has a field accuracy, but no data.evaluation to judge it on")
    if "static-int8" in plan.variants and manifest.data.calibration is None:
        raise ManifestError(path, "asks for static-int8, but has no data.calibration")
    if manifest.data.calibration == manifest.data.evaluation:
        raise ManifestError(path, "has the same data for calibration and evaluation, but they should be apart")
    if plan.metric == "threshold" and plan.threshold is None:
        raise ManifestError(path, "has the metric threshold, but no accuracy.threshold")
