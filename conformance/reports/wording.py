"""Numbers and names as a reader wants them; None where there is nothing to say."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

FRACTIONS = frozenset({"accuracy", "agreement", "auc", "f1", "map", "miou", "top1", "top-1", "top5", "top-5"})
"""Metrics whose scores are fractions of one, and are written in percent."""

_NOT_FINITE = "not finite"


def significant(value: float | None, digits: int = 3) -> str | None:
    """A number with so many significant digits: ``0.123``, ``12.3``, ``1,234``."""
    if value is None or not math.isfinite(value):
        return None if value is None else _NOT_FINITE
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}" if abs(value) < 1e9 else error(value)
    decimals = digits - 1 - (math.floor(math.log10(abs(value))) if value else 0)
    return f"{value:.{min(decimals, 6)}f}" if decimals <= 6 else error(value)


def ratio(value: float | None) -> str | None:
    """A multiple of the noise floor: ``0.9x floor``."""
    bare = times(value)
    return bare if bare in (None, _NOT_FINITE) else f"{bare} floor"


def times(value: float | None) -> str | None:
    """A multiple: ``0.9x``, ``23.0x``, ``470x``, ``0.04x``."""
    if value is None or not math.isfinite(value):
        return None if value is None else _NOT_FINITE
    if value >= 1e6:
        return f"{error(value)}x"
    return f"{value:,.0f}x" if value >= 99.95 else f"{value:.1f}x" if value >= 0.1 or value == 0 else f"{value:.1g}x"


def time_ratio(value: float | None) -> str | None:
    """A time as a multiple of ours: ``1.10x``."""
    return None if value is None else f"{significant(value)}x"


def error(value: float | None) -> str | None:
    """An error or tolerance: ``1.2e-6``."""
    if value is None or not math.isfinite(value):
        return None if value is None else _NOT_FINITE
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def score(value: float | None, metric: str | None, percent: str = "%") -> str | None:
    """A score of this metric: ``98.6%`` for a fraction, else four digits."""
    if value is None:
        return None
    return f"{100 * value:.1f}{percent}" if is_fraction(metric) else significant(value, 4)


def drop(value: float | None, metric: str | None, unit: str | None = "points") -> str | None:
    """A loss of score: ``3.1 points``, ``0.04 points`` of a hundred for a fraction, else three digits."""
    if value is None:
        return None
    points = f"{100 * value:.1f}" if abs(value) >= 0.01 or value == 0 else f"{100 * value:.2f}"
    return listed([points, unit], " ") if is_fraction(metric) else significant(value)


def is_fraction(metric: str | None) -> bool:
    """Whether scores of this metric are fractions of one."""
    return (metric or "").lower() in FRACTIONS


def milliseconds(value: float | None) -> str | None:
    """A time: ``0.123 ms``."""
    return None if value is None else f"{significant(value)} ms"


def integer(value: int | None) -> str | None:
    """A count with thousands apart: ``1,234``."""
    return None if value is None else f"{value:,}"


def size(value: int | None) -> str | None:
    """A size in bytes: ``512 B``, ``5.7 kB``, ``1.2 MB``."""
    if value is None:
        return None
    if value < 1000:
        return f"{value} B"
    power = min((len(str(value)) - 1) // 3, 4)
    return f"{significant(value / 1000**power)} {' kMGT'[power]}B"


def counted(number: int, noun: str) -> str:
    """A number of things: ``1 error``, ``2 errors``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(parts: Iterable[str | None], separator: str = ", ") -> str | None:
    """The parts that say something, joined."""
    return separator.join(part for part in parts if part) or None


def shape(dims: Any) -> str:
    """A shape: ``[1, 6]``."""
    return f"[{', '.join(map(str, dims))}]" if isinstance(dims, list | tuple) else str(dims)


def shapes(named: Mapping[Any, Any]) -> str | None:
    """The shapes of a probe's inputs: ``x [1, 6], mask [1]``."""
    return listed(f"{name} {shape(dims)}" for name, dims in named.items())


def pairs(named: Mapping[str, Any]) -> str | None:
    """A location or evidence: ``node: /conv1, output: logits``."""
    return listed(f"{plain(key)}: {plain(_value(value))}" for key, value in named.items())


def _value(value: Any) -> Any:
    return significant(value, 4) if isinstance(value, float) else shape(value) if isinstance(value, list) else value


def plain(value: Any) -> str:
    """A text on one line without control characters, which a terminal would obey and XML refuses."""
    return "".join(
        char if char.isprintable() else " " if char.isspace() else f"\\x{ord(char):02x}" for char in str(value)
    )


def shortened(text: str, width: int) -> str:
    """A text cut in its middle to this many characters."""
    if len(text) <= width:
        return text
    head = (width - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (width - 1 - head) :]}"
