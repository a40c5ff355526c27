"""``interface.json``: the interface that lies beside a model."""

from __future__ import annotations

import json
import os
from pathlib import Path

from assay.converters.files import UnreadableError
from assay.specs.conditions import ConditionError
from assay.specs.interface import Interface

FILE_NAME = "interface.json"
_LARGEST = 1 << 22


def read_interface(model: Path) -> Interface | None:
    """The interface beside this ``model.onnx``, or None where there is none; raises `UnreadableError` for a bad one."""
    path = model.parent / FILE_NAME
    if model.name != "model.onnx" or not os.path.lexists(path):
        return None
    try:
        return Interface.from_json(json.loads(interface_file(model)))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ConditionError) as error:
        raise UnreadableError(path, f"is no interface: {type(error).__name__}: {str(error)[:200]}") from error


def interface_file(model: Path) -> str:
    """The text of the file beside this model, as far as it is of moderate size and in the folder of the model.

    Raises `UnreadableError`.
    """
    path = model.parent / FILE_NAME
    try:
        real = path.resolve()
        if real.parent not in (model.parent.resolve(), model.resolve().parent):
            raise UnreadableError(path, "leaves the model's folder, but should lie in it")
        if not real.is_file() or real.stat().st_size > _LARGEST:
            raise UnreadableError(path, f"is no file of at most {_LARGEST} bytes, but should be one")
        return real.read_text(encoding="utf-8")
    except (OSError, RuntimeError) as error:  # unreadable, or a loop of links
        raise UnreadableError(path, f"can't be read: {type(error).__name__}") from error


def interface_text(interface: Interface) -> str:
    """The text of ``interface.json``, the same for the same interface."""
    return json.dumps(interface.to_json(), indent=2, ensure_ascii=False) + "\n"
