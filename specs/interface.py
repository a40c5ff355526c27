"""The interface of a model: names, dtypes, axes and ranges of its inputs and outputs, as text and as JSON.

The text form is ``DTYPE[DIM,DIM,...] [in LOW..HIGH]``; a DIM is a size, or the name of a dynamic axis, which may carry
bounds and the size to trace at: ``height``, ``height>=12``, ``height<=512``, ``height>=12=48``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from assay.specs.conditions import Condition, parse_conditions
from assay.specs.errors import AssayError

DTYPES = frozenset(
    [
        "float16",
        "bfloat16",
        "float32",
        "float64",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "bool",
        "string",
        "complex64",
        "complex128",
    ]
)
_SPEC = re.compile(r"^\s*(?P<dtype>\w+)\s*(?:\[(?P<dims>[^\]]*)\])?\s*(?:in\s+(?P<low>\S+?)\.\.(?P<high>\S+))?\s*$")
_AXIS = re.compile(r"^(?P<name>[A-Za-z_]\w*)(?:>=(?P<minimum>\d+))?(?:<=(?P<maximum>\d+))?(?:=(?P<example>\d+))?$")


class InterfaceError(AssayError):
    """A specification of an input or output that can't be read."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text, reason)
        self.text, self.reason = text, reason

    def __str__(self) -> str:
        return f"{self.text!r} {self.reason}"


@dataclass(frozen=True)
class Axis:
    """A dynamic axis: its name, the sizes it may take, and the size to trace at (None: chosen)."""

    name: str
    minimum: int = 1
    maximum: int | None = None
    example: int | None = None

    def __post_init__(self) -> None:
        if self.maximum is not None and self.maximum < self.minimum:
            raise InterfaceError(str(self), "has a smallest size above its largest")
        if self.example is not None and not self.allows(self.example):
            raise InterfaceError(str(self), "has an example size outside its bounds")

    def __str__(self) -> str:
        low = f">={self.minimum}" if self.minimum > 1 else ""
        high = f"<={self.maximum}" if self.maximum is not None else ""
        return f"{self.name}{low}{high}" + (f"={self.example}" if self.example is not None else "")

    def allows(self, size: int) -> bool:
        """Whether the axis may have this size."""
        return size >= self.minimum and (self.maximum is None or size <= self.maximum)


Dim = int | Axis


@dataclass(frozen=True)
class TensorSpec:
    """One input or output; ``dims`` is None where even the rank is unknown, ``range`` is inclusive."""

    name: str
    dtype: str
    dims: tuple[Dim, ...] | None = None
    range: tuple[float, float] | None = None
    role: str | None = None

    def __str__(self) -> str:
        dims = "" if self.dims is None else f"[{','.join(map(str, self.dims))}]"
        return f"{self.dtype}{dims}" + (f" in {'..'.join(map(_number, self.range))}" if self.range else "")

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The dynamic axes, in order."""
        return tuple(dim for dim in self.dims or () if isinstance(dim, Axis))

    def shape(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """The concrete shape when each dynamic axis has the size given under its name."""
        return tuple(dim if isinstance(dim, int) else sizes[dim.name] for dim in self.dims or ())


@dataclass(frozen=True)
class Interface:
    """What a model takes and gives, under which task, on what conditions, and what more a reader should know.

    ``conditions`` are those on which the model is right; bounds that follow from them stand in the axes too.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...] = ()
    task: str = "generic"
    metadata: Mapping[str, str] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()

    @property
    def axes(self) -> dict[str, Axis]:
        """Every dynamic axis of the inputs by name, the tightest bounds of all its uses."""
        found: dict[str, Axis] = {}
        for axis in (axis for spec in self.inputs for axis in spec.axes):
            found[axis.name] = _tightest(found[axis.name], axis) if axis.name in found else axis
        return found

    def to_json(self) -> dict[str, Any]:
        """The content of ``interface.json`` (schema ``assay.interface/v1``)."""
        conditions = [str(condition) for condition in self.conditions]
        return {
            "schema": "assay.interface/v1",
            "task": self.task,
            "inputs": [_spec_to_json(spec) for spec in self.inputs],
            "outputs": [_spec_to_json(spec) for spec in self.outputs],
            **({"conditions": conditions} if conditions else {}),
            "metadata": dict(sorted(self.metadata.items())),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Interface:
        """Read back what `to_json` wrote."""
        inputs, outputs = (tuple(map(_spec_from_json, data[key])) for key in ("inputs", "outputs"))
        conditions = parse_conditions(data.get("conditions", ()))
        return cls(inputs, outputs, data["task"], dict(data.get("metadata", {})), conditions)


def parse_spec(name: str, text: str) -> TensorSpec:
    """``parse_spec("x", "float32[batch,3] in 0..1")``; raises `InterfaceError` where the text is not of that form."""
    match = _SPEC.match(text)
    if match is None:
        raise InterfaceError(text, "is no specification, but should be like float32[batch,3,height,width] in 0..255")
    if match["dtype"] not in DTYPES:
        raise InterfaceError(
            text, f"has the dtype {match['dtype']!r}, but should have one of {', '.join(sorted(DTYPES))}"
        )
    dims = None if match["dims"] is None else tuple(_parse_dim(text, part) for part in _split(match["dims"]))
    return TensorSpec(name, match["dtype"], dims, _parse_range(text, match["low"], match["high"]))


def parse_specs(inputs: Mapping[str, str]) -> tuple[TensorSpec, ...]:
    """Several specifications by name, in order."""
    return tuple(parse_spec(name, text) for name, text in inputs.items())


def parse_option(text: str) -> TensorSpec:
    """``NAME=DTYPE[DIMS]`` as the command line's ``--input`` takes it."""
    name, separator, spec = text.partition("=")
    if not separator or not name:
        raise InterfaceError(text, "has no name, but should be like features=float32[batch,6]")
    return parse_spec(name, spec)


def with_roles(specs: Sequence[TensorSpec], roles: Mapping[str, str]) -> tuple[TensorSpec, ...]:
    """The same specifications, each with the role that the task gives its name."""
    return tuple(replace(spec, role=roles.get(spec.name, spec.role)) for spec in specs)


def _split(dims: str) -> list[str]:
    return [part.strip() for part in dims.split(",")] if dims.strip() else []


def _parse_dim(text: str, part: str) -> Dim:
    if part.isascii() and part.isdigit():
        return int(part)
    match = _AXIS.match(part)
    if match is None:
        raise InterfaceError(text, f"has the dimension {part!r}, but should have a size or a name like height>=12=48")
    bounds = {key: int(match[key]) if match[key] else None for key in ("minimum", "maximum", "example")}
    return Axis(match["name"], bounds["minimum"] or 1, bounds["maximum"], bounds["example"])


def _parse_range(text: str, low: str | None, high: str | None) -> tuple[float, float] | None:
    if low is None or high is None:
        return None
    try:
        bounds = float(low), float(high)
    except ValueError:
        raise InterfaceError(text, f"has the range {low}..{high}, but should have two numbers") from None
    if not all(map(math.isfinite, bounds)):
        raise InterfaceError(text, f"has the range {low}..{high}, but should have two finite numbers")
    if not bounds[0] <= bounds[1]:
        raise InterfaceError(text, f"has the range {low}..{high}, but its first number should not exceed its second")
    return bounds


def _number(value: float) -> str:
    """The shortest text that is read back as the same number."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def _tightest(a: Axis, b: Axis) -> Axis:
    maxima = [axis.maximum for axis in (a, b) if axis.maximum is not None]
    example = a.example if a.example is not None else b.example
    return Axis(a.name, max(a.minimum, b.minimum), min(maxima, default=None), example)


def _spec_to_json(spec: TensorSpec) -> dict[str, Any]:
    dims = None if spec.dims is None else [_dim_to_json(dim) for dim in spec.dims]
    entry: dict[str, Any] = {"name": spec.name, "dtype": spec.dtype, "dims": dims}
    if spec.range:
        entry["range"] = list(spec.range)
    return entry | ({"role": spec.role} if spec.role else {})


def _dim_to_json(dim: Dim) -> int | dict[str, Any]:
    if isinstance(dim, int):
        return dim
    entry = {"axis": dim.name, "minimum": dim.minimum, "maximum": dim.maximum, "example": dim.example}
    return {key: value for key, value in entry.items() if value is not None}


def _spec_from_json(data: Mapping[str, Any]) -> TensorSpec:
    dims = data["dims"]
    parsed = None if dims is None else tuple(_dim_from_json(dim) for dim in dims)
    bounds = data.get("range")
    return TensorSpec(data["name"], data["dtype"], parsed, tuple(bounds) if bounds else None, data.get("role"))


def _dim_from_json(data: int | Mapping[str, Any]) -> Dim:
    if isinstance(data, int):
        return data
    return Axis(data["axis"], data.get("minimum", 1), data.get("maximum"), data.get("example"))
