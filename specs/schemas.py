"""The JSON Schemas (2020-12) of the files that Assay writes and reads: result, comparison, interface, manifest."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from assay.specs.data import PACKAGE, UnknownNameError
from assay.specs.errors import AssayError

_FOLDER = PACKAGE / "schemas"
_SUFFIX = ".v1.schema.json"


class SchemaError(AssayError):
    """A document that breaks its schema; ``pointer`` is the JSON Pointer (RFC 6901) of the part that does."""

    def __init__(self, name: str, pointer: str, reason: str) -> None:
        super().__init__(name, pointer, reason)
        self.name, self.pointer, self.reason = name, pointer, reason

    def __str__(self) -> str:
        return f"{self.pointer or 'the document'} breaks the schema of {self.name}: {self.reason}"


def schema_names() -> tuple[str, ...]:
    """The names of all schemas, sorted."""
    return tuple(sorted(path.name.removesuffix(_SUFFIX) for path in _FOLDER.glob(f"*{_SUFFIX}")))


@cache
def load_schema(name: str) -> dict[str, Any]:
    """The schema of this name, such as ``load_schema("result")``; raises `UnknownNameError`."""
    if name not in schema_names():
        raise UnknownNameError("schema", name, schema_names())
    schema: dict[str, Any] = json.loads((_FOLDER / f"{name}{_SUFFIX}").read_bytes())
    return schema


def validate(name: str, document: Any) -> None:
    """Raise `SchemaError` for the part of the document that breaks the schema most plainly."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    error = best_match(Draft202012Validator(load_schema(name)).iter_errors(document))
    if error is not None:
        raise SchemaError(name, "".join(f"/{part}" for part in error.absolute_path), error.message[:300])
