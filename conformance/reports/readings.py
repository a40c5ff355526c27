"""The measurements of a check, read leniently: what is missing or of another type reads as None, never as an error."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidatorFunctionWrapHandler
from pydantic import WrapValidator as Wrap

from assay.conformance.result import CheckResult, Verdict

_LARGEST, _SHORTEST = 1e30, 1e-9
"""Beyond these a number, or a time in ms, is no measurement, and no axis can be drawn for it."""


def _or_none(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    try:
        return read(value)
    except ValidationError:
        return None


def _null_is_not_finite(value: Any) -> Any:
    """Strict JSON holds no infinity: a null under a key that is present is a number that is not finite."""
    return math.nan if value is None else value


def _finite(value: float | None) -> float | None:
    return value if value is not None and abs(value) < _LARGEST else None


def _time(value: float | None) -> float | None:
    return value if value is not None and _SHORTEST < value < _LARGEST else None


def _mappings(value: Any) -> Any:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []


def _entries(value: Any) -> Any:
    return value if isinstance(value, Mapping) else {}


def _texts(value: Any) -> list[str]:
    """The texts of a list, others left out."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list | tuple) else []


def _times(value: Any) -> Any:
    items = value if isinstance(value, list | tuple) else []
    return [item for item in items if isinstance(item, int | float) and _time(item)]


T = TypeVar("T")
Text = Annotated[str | None, Wrap(_or_none)]
Count = Annotated[int | None, Wrap(_or_none)]
Number = Annotated[float | None, Wrap(lambda value, read: _finite(_or_none(value, read)))]
Time = Annotated[float | None, Wrap(lambda value, read: _time(_or_none(value, read)))]
Magnitude = Annotated[float | None, Wrap(_or_none), BeforeValidator(_null_is_not_finite)]
Flag = Annotated[bool | None, Wrap(_or_none)]
Part = Annotated[T | None, Wrap(_or_none)]
Parts = Annotated[tuple[T, ...], BeforeValidator(_mappings)]
Entries = Annotated[dict[Any, Any], BeforeValidator(_entries)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_texts)]
Times = Annotated[tuple[float, ...], BeforeValidator(_times)]


class Reading(BaseModel):
    """Measurements of one form; keys that the form does not know are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class GraphModel(Reading):
    """The size of one graph."""

    name: Text = None
    nodes: Count = None
    parameters: Count = None
    bytes: Count = None
    opset: Count = None


class Conversion(Reading):
    """What check ``convert`` measures, in bytes and seconds, and the graphs that stand beside the candidate's."""

    exporter: Text = None
    framework: Text = None
    seconds: Number = None
    opset: Count = None
    nodes: Count = None
    parameters: Count = None
    bytes: Count = None
    models: Parts[GraphModel] = ()


class Lint(Reading):
    """What check ``lint`` measures."""

    rules: Count = None
    errors: Count = None
    warnings: Count = None
    ignored: Entries = Field(default_factory=dict)


class Gate(Reading):
    """Multiples of the noise floor: at most ``passes`` passes, at least ``fails`` fails."""

    passes: Number = Field(default=None, alias="pass")
    fails: Number = Field(default=None, alias="fail")


class Level(Reading):
    """How much a parity check did, and what that proves."""

    name: Text = None
    proves: Text = None


class Search(Reading):
    """The search for a counter-example: how many inputs were tried, and where the worst is."""

    tried: Count = None
    worst_probe: Text = None
    worst_ratio: Magnitude = None


class OutputError(Reading):
    """The error of one output on one probe; an infinite or undefined magnitude reads as NaN."""

    output: Text = None
    max_error: Magnitude = None
    rms_error: Magnitude = None
    floor_max: Magnitude = None
    floor_rms: Magnitude = None
    ratio: Magnitude = None
    rms: Magnitude = None


class Probe(Reading):
    """One probe and what each output did on it."""

    name: Text = None
    purpose: Text = None
    shapes: Entries = Field(default_factory=dict)
    status: Text = None
    outputs: Parts[OutputError] = ()


class Moves(Reading):
    """How many places of one output move as they should between two probes."""

    output: Text = None
    places: Count = None
    stays: Count = None
    leaks: Count = None
    dead: Count = None


class Relation(Reading):
    """A relation between two probes: the rule, what is changed, and whether the model's outputs follow the source's."""

    code: Text = None
    probe: Text = None
    base: Text = None
    change: Text = None
    status: Text = None
    outputs: Parts[Moves] = ()


class Parity(Reading):
    """What check ``parity`` measures; ratios are multiples of the noise floor, ``conditions`` are where it holds."""

    conditions: Texts = ()
    level: Part[Level] = None
    search: Part[Search] = None
    oracle: Text = None
    gate: Part[Gate] = None
    worst_ratio: Magnitude = None
    worst_probe: Text = None
    worst_output: Text = None
    largest_error: Magnitude = None
    rtol: Magnitude = None
    atol: Magnitude = None
    probes: Parts[Probe] = ()
    relations: Parts[Relation] = ()


class Graphs(Reading):
    """What check ``graph`` measures: graphs side by side."""

    models: Parts[GraphModel] = ()


class Score(Reading):
    """A score and its confidence interval."""

    score: Number = None
    low: Number = None
    high: Number = None


class Variant(Score):
    """A quantized model: its score, its drop against the float model, the largest drop allowed."""

    name: Text = None
    drop: Number = None
    drop_low: Number = None
    drop_high: Number = None
    max_drop: Number = None
    required: Flag = None
    verdict: Part[Verdict] = None
    bytes: Count = None
    sqnr_db: Number = None


class Accuracy(Reading):
    """What check ``accuracy`` measures."""

    metric: Text = None
    samples: Count = None
    float_model: Part[Score] = Field(default=None, alias="float")
    variants: Parts[Variant] = ()


class Timing(Reading):
    """How long one model takes: median and 95th percentile with confidence intervals, and every sample, in ms."""

    name: Text = None
    median_ms: Time = None
    median_low: Time = None
    median_high: Time = None
    p95_ms: Time = None
    p95_low: Time = None
    p95_high: Time = None
    placement: Entries = Field(default_factory=dict)
    times_ms: Times = ()


class TimeRatio(Reading):
    """The time of another model as a multiple of ours."""

    name: Text = None
    ratio: Number = None
    low: Number = None
    high: Number = None


class Latency(Reading):
    """What check ``latency`` measures."""

    threads: Count = None
    warmup: Count = None
    samples: Count = None
    inputs: Entries = Field(default_factory=dict)
    models: Parts[Timing] = ()
    ratios: Parts[TimeRatio] = ()


_FORMS: Mapping[str, type[Reading]] = {
    "convert": Conversion,
    "lint": Lint,
    "parity": Parity,
    "graph": Graphs,
    "accuracy": Accuracy,
    "latency": Latency,
}


def reading_of(check: CheckResult) -> Reading:
    """The measurements of a check in the form that its name implies (``parity:vendor`` has the form of ``parity``)."""
    return _FORMS.get(check.check.partition(":")[0], Reading).model_validate(check.measurements)
