"""Calls of TensorFlow, raw operators included, with edge cases: what the native converter is measured on."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from tensorflow_cases.case import Case

FAMILIES = ("pointwise", "moving", "pictures", "spectra", "raw_forms")


def cases() -> Iterator[Case]:
    """Every case, one family after the other."""
    for family in FAMILIES:
        yield from import_module(f"tensorflow_cases.{family}").cases()
