"""The handlers: one function a TensorFlow operator, found by the operator's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from assay.converters.refusal import RefusedError as RefusedError  # as the handlers of users know it

if TYPE_CHECKING:
    from assay.converters.tensorflow.emitter import Emitter
    from assay.converters.tensorflow.operation import Operation
    from assay.converters.tensorflow.tensor import Tensor

Handler = Callable[["Emitter", "Operation"], "Tensor | Sequence[Tensor]"]
Composer = Callable[["Emitter", "Operation", "Call"], "Sequence[Tensor] | None"]
Pattern = Callable[[Any], "Sequence[Any] | None"]
ENTRY_POINT = "assay.tensorflow_operators"
FAMILIES = (
    "elementwise",
    "arithmetic",
    "bitwise",
    "special",
    "convolution",
    "normalization",
    "reduction",
    "shape",
    "slicing",
    "creation",
    "gathering",
    "sorting",
    "diagonals",
    "scans",
    "segments",
    "blocks",
    "transposed_convolution",
    "resizing",
    "image",
    "quantization",
    "linalg",
    "strings",
    "randomness",
    "losses",
    "complex_numbers",
    "signal",
    "matrices",
    "einsum",
    "functions",
    "control_flow",
    "loops",
    "tensor_lists",
    "recurrent",
    "layers",
    "attention",
    "lookup",
    "dilated_convolution",
    "negative_zero",
    "normalization_parts",
    "updates",
    "legacy_control_flow",
)
HANDLERS: dict[str, Handler] = {}
COMPOSERS: dict[str, Composer] = {}
SHORTCUTS: dict[str, tuple[Pattern, Handler]] = {}
COMPLEX: dict[str, Handler] = {}


def handles(*operators: str) -> Callable[[Handler], Handler]:
    """Register a function as the handler of these operators; one that has a handler already is refused."""
    return _registers(HANDLERS, operators)


def handles_complex(*operators: str) -> Callable[[Handler], Handler]:
    """Register a function as the handler of these operators where an input or output is complex."""
    return _registers(COMPLEX, operators)


def _registers(registry: dict[str, Handler], operators: Sequence[str]) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        for operator in operators:
            if operator in registry:
                raise ValueError(f"{operator} has two handlers, but should have one")
            registry[operator] = handler
        return handler

    return register


@dataclass(frozen=True)
class Call:
    """A call of a marked function: its arguments by their role, and the layer's settings."""

    tensors: Mapping[str, Tensor]
    settings: Mapping[str, Any]

    def __getitem__(self, role: str) -> Tensor:
        return self.tensors[role]

    def get(self, role: str) -> Tensor | None:
        """The argument of this role, where there is one."""
        return self.tensors.get(role)


def composes(kind: str) -> Callable[[Composer], Composer]:
    """Register a function as the writer of a marked layer; it gives None where the layer's parts are to be written."""

    def register(composer: Composer) -> Composer:
        if kind in COMPOSERS:
            raise ValueError(f"{kind} has two composers, but should have one")
        COMPOSERS[kind] = composer
        return composer

    return register


def shortens(operator: str, pattern: Pattern) -> Callable[[Handler], Handler]:
    """Register a handler for an operator and others before it, where the pattern finds them in the graph.

    The pattern gives the tensors of the graph that the handler gets as inputs; what lies between is not converted.
    """

    def register(handler: Handler) -> Handler:
        if operator in SHORTCUTS:
            raise ValueError(f"{operator} has two shortcuts, but should have one")
        SHORTCUTS[operator] = (pattern, handler)
        return handler

    return register


@cache
def load_handlers() -> dict[str, Handler]:
    """Every handler, those of installed packages included (group ``assay.tensorflow_operators``)."""
    for family in FAMILIES:
        import_module(f"assay.converters.tensorflow.operators.{family}")
    for entry in entry_points(group=ENTRY_POINT):
        entry.load()  # importing registers
    return HANDLERS
