"""What the ONNX standard asks of an operator in one version: its inputs, outputs, attributes and dtypes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Formal:
    """A formal input: its name, the dtype or the letter that stands for one, and how often it stands."""

    name: str
    kind: str
    homogeneous: bool
    variadic: bool
    optional: bool


@dataclass(frozen=True)
class Form:
    """One version of an operator; ``types`` are the dtypes that each letter may stand for."""

    inputs: tuple[Formal, ...]
    input_counts: tuple[int, int]
    output_counts: tuple[int, int]
    types: Mapping[str, frozenset[str]]
    attributes: frozenset[str]
    required: frozenset[str]
    defaults: Mapping[str, object]
    deprecated: bool

    def formals(self, count: int) -> Iterator[Formal]:
        """The formal input of each of so many actual ones; a variadic one repeats."""
        for index in range(count):
            if index < len(self.inputs):
                yield self.inputs[index]
            elif self.inputs and self.inputs[-1].variadic:
                yield self.inputs[-1]


def _formal(parameter: Any) -> Formal:
    kind = parameter.option.name
    return Formal(parameter.name, parameter.type_str, parameter.is_homogeneous, kind == "Variadic", kind == "Optional")


def _default(attribute: Any) -> object:
    """The default of an attribute; None where it has none."""
    from onnx import helper

    if not attribute.default_value.name:
        return None
    value = helper.get_attribute_value(attribute.default_value)
    return value.decode(errors="replace") if isinstance(value, bytes) else value


@cache
def form_of(operator: str, version: int, domain: str) -> Form | None:
    """The operator as this version of the domain defines it; None where the standard has none."""
    from onnx import defs

    try:
        schema = defs.get_schema(operator, version, domain)
    except (defs.SchemaError, ValueError):
        return None
    return Form(
        tuple(map(_formal, schema.inputs)),
        (schema.min_input, schema.max_input),
        (schema.min_output, schema.max_output),
        {t.type_param_str: frozenset(t.allowed_type_strs) for t in schema.type_constraints},
        frozenset(schema.attributes),
        frozenset(name for name, attribute in schema.attributes.items() if attribute.required),
        {name: _default(attribute) for name, attribute in schema.attributes.items()},
        schema.deprecated,
    )
