"""How a case is made of a function of ``keras.ops``."""

from __future__ import annotations

from functools import partial
from typing import Any

from keras import ops

from tensorflow_cases.case import Case, operator


def of(name: str, text: str, *traits: str, told: str = "", **options: Any) -> Case:
    """A case of the function of this name, with these options."""
    shown = told or ", ".join(f"{key}={value!r}" for key, value in options.items())
    return operator(f"keras.ops.{name}({shown}) {text}", partial(getattr(ops, name), **options), text, *traits)
