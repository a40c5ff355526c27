"""``interface.json``: the interface that lies beside a model."""

from __future__ import annotations

import json
from pathlib import Path

from assay.converters.files import UnreadableError
from assay.specs.interface import Interface

FILE_NAME = "interface.json"


def read_interface(model: Path) -> Interface | None:
    """The interface beside this ``model.onnx``, or None where there is none; raises `UnreadableError` for a bad one."""
    path = model.parent / FILE_NAME
    if model.name != "model.onnx" or not path.is_file():
        return None
    try:
        return Interface.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableError(path, f"is no interface: {type(error).__name__}: {error}") from error


def interface_text(interface: Interface) -> str:
    """The text of ``interface.json``, the same for the same interface."""
    return json.dumps(interface.to_json(), indent=2, ensure_ascii=False) + "\n"
