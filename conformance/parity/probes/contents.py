"""Probes of content: the same sizes, filled with what hides or shows a defect that usual values do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from assay.conformance.parity.probes.probe import SEED, Feeds, Probe
from assay.conformance.parity.probes.typical import Typical, is_float, is_integer
from assay.specs.interface import TensorSpec

Fill = Callable[[TensorSpec, np.ndarray], "np.ndarray | None"]
_OVERFLOWING = (1e30, 1e25, 1e20, 1e15, 1e10, 1e5, 1e3)
_TEXTS = (" ", "Assay", "ASSAY!", "-1", "3.5", "日本語", "🙂", "unknown")


@dataclass(frozen=True)
class Content:
    """One way to fill every input that it applies to; a fill gives None where it does not."""

    purpose: str
    fill: Fill
    extreme: bool = False


def content_probes(typical: Typical) -> Iterator[Probe]:
    """One probe a content that applies to any input and is like none before it."""
    seen = [_bytes(typical.feeds)]
    for name, content in _CONTENTS.items():
        changed = {spec.name: content.fill(spec, typical.feeds[spec.name]) for spec in typical.numbers}
        feeds = {**typical.feeds, **{key: array for key, array in changed.items() if array is not None}}
        if _bytes(feeds) not in seen:
            seen.append(_bytes(feeds))
            yield Probe(name, content.purpose, feeds, natural=False, extreme=content.extreme)
    yield from _near_overflow(typical)
    yield from _switches(typical)
    yield from _texts(typical)


def _near_overflow(typical: Typical) -> Iterator[Probe]:
    """Far from where a healthy model overflows too: sums of squares grow with the square of the input."""
    specs = [spec for spec in typical.numbers if is_float(spec) and spec.range is None]
    rungs = [{s.name: _times(factor, typical.feeds[s.name]) for s in specs} for factor in _OVERFLOWING]
    ladder = tuple(
        {**typical.feeds, **rung}
        for rung in rungs
        if all(np.isfinite(array.astype(np.complex128)).all() for array in rung.values())
    )
    if specs and len(ladder) > 1:
        purpose = "values as large as the source takes without an overflow, with a margin"
        yield Probe("near overflow", purpose, ladder[-1], natural=False, extreme=True, ladder=ladder, margin=1)


def _switches(typical: Typical) -> Iterator[Probe]:
    """Both values of every switch, alone; of masks there are probes of their own."""
    for spec in typical.interface.inputs:
        array = typical.feeds[spec.name]
        for value in (False, True) if spec.dtype == "bool" and spec not in typical.masks else ():
            changed = np.full_like(array, value)
            if not np.array_equal(changed, array):
                name = f"{spec.name} all {str(value).lower()}"
                yield Probe(name, "one value of a switch everywhere", {**typical.feeds, spec.name: changed})


def _texts(typical: Typical) -> Iterator[Probe]:
    specs = [spec for spec in typical.interface.inputs if spec.dtype == "string" and typical.feeds[spec.name].size]
    unusual = {spec.name: np.resize(np.array(_TEXTS), typical.feeds[spec.name].shape) for spec in specs}
    if specs:
        purpose = "blanks, capitals, numbers, signs and scripts beyond ASCII"
        yield Probe("unusual texts", purpose, {**typical.feeds, **unusual})
        empty = {name: np.full_like(texts, "") for name, texts in unusual.items()}
        yield Probe("empty texts", "no text at all", {**typical.feeds, **empty})


def _bytes(feeds: Feeds) -> list[bytes]:
    return [array.tobytes() for array in feeds.values()]


def within(spec: TensorSpec, array: np.ndarray) -> np.ndarray:
    """The array cut to the range of the input, where it has one."""
    return array if spec.range is None else np.clip(array, *spec.range)


def _times(factor: float, array: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        scaled: np.ndarray = (array.astype(np.complex128 if array.dtype.kind == "c" else np.float64) * factor).astype(
            array.dtype
        )
    return scaled


def _low(spec: TensorSpec, array: np.ndarray) -> np.ndarray:
    return np.full_like(array, spec.range[0] if spec.range else 0)


def _high(spec: TensorSpec, array: np.ndarray) -> np.ndarray | None:
    if spec.range is None and array.dtype.kind in "iu" and array.dtype.itemsize == 1:
        return np.full_like(array, np.iinfo(array.dtype).max)
    return np.full_like(array, spec.range[1]) if spec.range else None


def _blank(spec: TensorSpec, array: np.ndarray) -> np.ndarray | None:
    return np.full_like(array, sum(spec.range) / 2) if spec.range and is_float(spec) else None


def _small(spec: TensorSpec, array: np.ndarray) -> np.ndarray | None:
    if not is_float(spec):
        return None
    middle = sum(spec.range) / 2 if spec.range else 0.0
    scaled: np.ndarray = within(spec, _times(0.01, array - array.dtype.type(middle)) + array.dtype.type(middle))
    return scaled.astype(array.dtype)


def _scaled(factor: float, spec: TensorSpec, array: np.ndarray) -> np.ndarray | None:
    return _times(factor, array) if is_float(spec) and spec.range is None else None


def _ramp(spec: TensorSpec, array: np.ndarray) -> np.ndarray | None:
    if not is_float(spec):
        return None
    return np.linspace(*(spec.range or (-1.0, 1.0)), array.size).reshape(array.shape).astype(array.dtype)


def _impulse(spec: TensorSpec, array: np.ndarray) -> np.ndarray | None:
    if not is_float(spec) or array.size == 0:
        return None
    low, high = spec.range or (0.0, 1.0)
    impulse = np.full(array.shape, low)
    impulse.flat[array.size // 2] = high
    return impulse.astype(array.dtype)


def _constant_rows(spec: TensorSpec, array: np.ndarray) -> np.ndarray | None:
    """Each row one value: zero variance, where a normalization shows its epsilon."""
    if not is_float(spec) or array.ndim < 2:
        return None
    return np.broadcast_to(array[..., :1], array.shape).astype(array.dtype)


def _halves(spec: TensorSpec, array: np.ndarray) -> np.ndarray | None:
    """Between whole numbers, where rounding to even and rounding up part."""
    low, high = spec.range or (-4.0, 4.0)
    if not is_float(spec) or np.floor(high - 0.5) < np.ceil(low - 0.5) + 2:
        return None
    drawn = np.random.default_rng(SEED).integers(int(np.ceil(low - 0.5)), int(np.floor(high - 0.5)), array.shape)
    return (drawn + 0.5).astype(array.dtype)


def _ties(spec: TensorSpec, array: np.ndarray) -> np.ndarray | None:
    """Three values alone."""
    if not is_float(spec):
        return None
    low, high = spec.range or (-1.0, 1.0)
    return np.random.default_rng(SEED).choice([low, (low + high) / 2, high], array.shape).astype(array.dtype)


def _sparse(spec: TensorSpec, array: np.ndarray) -> np.ndarray | None:
    """One value in ten stays, the others are zero."""
    if not is_float(spec):
        return None
    kept = np.random.default_rng(SEED).random(array.shape) < 0.1
    return within(spec, np.where(kept, array, 0)).astype(array.dtype)


def _integers(low: int, high: int, spec: TensorSpec, array: np.ndarray) -> np.ndarray | None:
    if not is_integer(spec) or array.dtype.kind == "u" or spec.range is not None:
        return None
    return np.random.default_rng(SEED).integers(low, high, array.shape, endpoint=True).astype(array.dtype)


def _ends(spec: TensorSpec, array: np.ndarray) -> np.ndarray | None:
    """The first and the last two indices."""
    if not is_integer(spec) or spec.range is None:
        return None
    low, high = (int(end) for end in spec.range)
    return within(spec, np.resize([low, high, low + 1, high - 1], array.shape)).astype(array.dtype)


_CONTENTS = {
    "lowest": Content("zero, or the low end of the range, everywhere", _low),
    "highest": Content("the high end of the range everywhere", _high),
    "blank": Content("the middle of the range everywhere: nothing to see", _blank),
    "small": Content("values a hundredth of the typical ones", _small),
    "large": Content("values thirty times the typical ones", lambda spec, array: _scaled(30.0, spec, array)),
    "very large": Content("values 255 times the typical ones", lambda s, a: _scaled(255.0, s, a), extreme=True),
    "ramp": Content("a rising ramp: order and direction of axes", _ramp),
    "impulse": Content("one value apart from all others: positions", _impulse),
    "constant rows": Content("rows without variance: epsilons", _constant_rows),
    "halves": Content("numbers between whole ones: which way they are rounded", _halves),
    "ties": Content("few values, each many times: order among equals", _ties),
    "sparse": Content("zero in nine places of ten", _sparse),
    "negative integers": Content(
        "whole numbers below zero: division, remainder, shifts", lambda s, a: _integers(-9, -1, s, a)
    ),
    "integers around zero": Content("whole numbers from -2 to 2", lambda s, a: _integers(-2, 2, s, a)),
    "first and last index": Content("both ends of the range: rare tokens", _ends),
}
