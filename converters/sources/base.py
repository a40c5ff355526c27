"""What every source can do: say its inputs and outputs, run, and run nearly alike for the noise floor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import numpy as np

from assay.specs.errors import AssayError
from assay.specs.interface import Interface, TensorSpec, parse_spec

Feeds = Mapping[str, np.ndarray]
Outputs = dict[str, np.ndarray]
Inputs = Mapping[str, "str | np.ndarray | TensorSpec"]
P = ParamSpec("P")
T = TypeVar("T")


class SourceError(AssayError):
    """A source that can't be opened, named or run."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(source, reason)
        self.source, self.reason = source, reason

    def __str__(self) -> str:
        return f"{self.source} {self.reason}"


@dataclass(frozen=True)
class Request:
    """What the user says of a source besides its name; hints say what neither the user nor the source does.

    ``signature`` is the one that is asked for of a source that has several.
    """

    name: str
    inputs: Inputs | None = None
    outputs: Sequence[str] | None = None
    trusted: bool = False
    hints: Mapping[str, TensorSpec] = field(default_factory=dict)
    output_hints: Sequence[str] = ()
    signature: str | None = None


class Runnable(Protocol):
    """Anything that maps inputs by name to outputs by name."""

    def run(self, feeds: Feeds) -> Outputs:
        """One forward pass."""
        ...


class ExactTwin(Runnable, Protocol):
    """A twin in float64."""

    @property
    def kept(self) -> Sequence[str]:
        """The operations that stay in the source's own precision, as far as runs have shown; sorted."""
        ...


class Source(ABC):
    """A model in its own framework, run as the judge of a candidate.

    ``inputs`` is empty where the source does not say them and the user did not either; ``named_outputs`` tells
    whether the names of outputs are the model's own (else they go by position).
    """

    framework: str
    kind: str

    def __init__(self, request: Request, inputs: Sequence[TensorSpec]) -> None:
        self.name = request.name
        self.inputs = tuple(inputs)
        self.given_output_names = tuple(request.outputs or ())
        self.output_hints = tuple(request.output_hints)
        self.named_outputs = False

    @abstractmethod
    def run(self, feeds: Feeds) -> Outputs:
        """One forward pass in inference mode; arrays by input name to arrays by output name, in the model's order."""

    def outline(self, feeds: Feeds) -> Outputs:
        """What `run` gives, of which names, dtypes and shapes count alone: a source may leave the elements out."""
        return self.run(feeds)

    @abstractmethod
    def sha256(self) -> str:
        """A digest of the weights and of what else the source is made of."""

    def exact(self) -> ExactTwin | None:
        """The same model in float64, or None where that can't be had."""
        return None

    @abstractmethod
    def perturbed(self, seed: int) -> Runnable | None:
        """The same model with each weight moved by one unit in the last place, or None where it has no weights."""

    def shaken(self, seed: int) -> Runnable | None:  # noqa: ARG002 - for those that can
        """The same model with the result of each operation moved by one unit in the last place, or None."""
        return None

    def wavering(self, seed: int) -> Runnable | None:  # noqa: ARG002 - for those that can
        """The same model with weights, results and what an order is decided by moved by a few units, or None.

        Outputs that differ from the source's are such as no rounding error decides: near a threshold, or ties.
        """
        return None

    def settings(self) -> Mapping[str, Mapping[str, float | str]]:
        """What the layers were told (``eps``, ``negative_slope``), by the path of the layer, where that can be had."""
        return {}

    def weights(self) -> Iterable[tuple[str, np.ndarray]]:
        """Name and array of each parameter and buffer, one at a time, to be read only; none where it has none."""
        return ()

    def ask(self, function: Callable[Concatenate[Source, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What an importable function makes of the source where the source is, which may be another process."""
        return function(self, *args, **kwargs)

    def name_outputs(self, values: Sequence[tuple[str | None, Any]]) -> dict[str, Any]:
        """Give each flattened output its name: the user's, the model's own, else by position."""
        own = [name for name, _ in values]
        self.named_outputs = all(name is not None for name in own) and len(set(own)) == len(own)
        names = self._apart(self._output_names(own))
        return dict(zip(names, (value for _, value in values), strict=True))

    def describe(self) -> dict[str, Any]:
        """The part ``reference`` of a result."""
        return {"source": self.name, "framework": self.framework, "kind": self.kind, "sha256": self.sha256()}

    def _output_names(self, own: Sequence[str | None]) -> list[str]:
        given = self.given_output_names
        if given and not (self.named_outputs and set(given) == set(own)):
            if len(given) != len(own):
                raise SourceError(self.name, f"gives {len(own)} outputs, but {len(given)} names were given for them")
            if len(set(given)) < len(given):
                raise SourceError(self.name, f"was given a name for two of its outputs: {', '.join(given)}")
            return list(given)
        if self.named_outputs:
            return [name for name in own if name is not None]
        if len(self.output_hints) == len(own):
            return list(self.output_hints)
        return ["output"] if len(own) == 1 else [f"output_{index}" for index in range(len(own))]

    def _apart(self, names: Sequence[str]) -> list[str]:
        """ONNX has one namespace: an output that has the name of an input is told apart by a suffix."""
        taken = {spec.name for spec in self.inputs}
        return [f"{name}_output" if name in taken else name for name in names]


def resolve_inputs(
    source: str, own: Sequence[TensorSpec], given: Inputs | None, hints: Mapping[str, TensorSpec] | None = None
) -> tuple[TensorSpec, ...]:
    """The source's own specifications, each replaced by what the user says of it; hints fill what is still open.

    An own specification without dims is one that only its name is known of. A source that does not even know names
    takes what is given, else the hints.
    """
    specs = {name: as_spec(name, value) for name, value in (given or {}).items()}
    if not own:
        return tuple((specs or dict(hints or {})).values())
    known = {spec.name for spec in own}
    unknown = sorted(set(specs) - known)
    if unknown:
        raise SourceError(source, f"has no input named {', '.join(unknown)}, but has {', '.join(sorted(known))}")
    filled = [(hints or {}).get(spec.name, spec) if spec.dims is None else _ranged(spec, hints) for spec in own]
    return tuple(_merge(spec, specs.get(spec.name)) for spec in filled)


def as_spec(name: str, value: str | np.ndarray | TensorSpec) -> TensorSpec:
    """A specification from its text, or from an example array (its exact shape and dtype)."""
    if isinstance(value, TensorSpec):
        return replace(value, name=name)
    if isinstance(value, str):
        return parse_spec(name, value)
    array = np.asarray(value)
    return TensorSpec(name, "string" if array.dtype.kind in "OUS" else array.dtype.name, array.shape)


def require_inputs(source: Source) -> Interface:
    """The source's interface for tracing; raises `SourceError` where a shape is not known."""
    unknown = [spec.name for spec in source.inputs if spec.dims is None]
    if unknown or not source.inputs:
        names = unknown or ["NAME"]
        wanted = " ".join(f'--input "{name}=float32[batch,...]"' for name in names)
        raise SourceError(source.name, f"does not say the shapes of its inputs; give them: {wanted}")
    return Interface(source.inputs)


def _ranged(own: TensorSpec, hints: Mapping[str, TensorSpec] | None) -> TensorSpec:
    hint = (hints or {}).get(own.name)
    return own if hint is None else replace(own, range=own.range or hint.range, role=own.role or hint.role)


def _merge(own: TensorSpec, given: TensorSpec | None) -> TensorSpec:
    if given is None:
        return own
    dims = given.dims if given.dims is not None else own.dims
    return replace(given, dims=dims, range=given.range or own.range, role=given.role or own.role)
