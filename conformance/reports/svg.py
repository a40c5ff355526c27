"""A matplotlib figure as SVG inside a page: reproducible, themed by the page's CSS, its ids its own."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

INK, MUTED, RULE, GROUND = "#00010a", "#00010b", "#00010c", "#00010d"
PASS, OPEN, FAIL = "#00010e", "#00010f", "#00011a"
SERIES = ("#00011b", "#00011c", "#00011d", "#00011e", "#00011f")
"""Stand-ins that `inline` turns into the page's CSS variables, so that a figure follows light and dark."""

_VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    RULE: "--rule",
    GROUND: "--ground",
    PASS: "--pass",
    OPEN: "--open",
    FAIL: "--fail",
    **{stand_in: f"--series-{number}" for number, stand_in in enumerate(SERIES, 1)},
}
_SETTINGS: dict[RcKeyType, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "assay",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": RULE,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "xtick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.color": RULE,
    "ytick.labelcolor": INK,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
}
_NOISE = (
    re.compile(r"^.*?(?=<svg)", re.DOTALL),
    re.compile(r"<metadata>.*?</metadata>", re.DOTALL),
    re.compile(r"<style[^>]*>.*?</style>", re.DOTALL),
    re.compile(r"<!--.*?-->", re.DOTALL),
    re.compile(r' xmlns(:\w+)?="[^"]*"'),
    re.compile(r"(?<=\n) +"),
)
_ID = re.compile(r'(\bid="|\bxlink:href="#|url\(#)')
_SIZE = re.compile(r'(<svg[^>]*?) width="[^"]*"([^>]*?) height="[^"]*"')


@contextmanager
def drawing() -> Iterator[None]:
    """Within this block figures are drawn in the page's style."""
    import matplotlib as mpl

    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


def inline(figure: Figure, key: str, title: str, description: str) -> str:
    """The figure as an ``<svg>`` element whose ids begin with ``key``; call it within `drawing`."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    for noise in _NOISE:
        text = noise.sub("", text)
    text = _SIZE.sub(r"\1\2", text, count=1)
    text = _ID.sub(lambda match: f"{match[0]}{key}-", text).replace("xlink:href", "href")
    for stand_in, variable in _VARIABLES.items():
        text = text.replace(stand_in, f"var({variable})")
    return text.replace("<svg", _opening(key, figure.get_figwidth()), 1).replace(
        ">", f">{_alternative(key, title, description)}", 1
    )


def _opening(key: str, inches: float) -> str:
    style = f"max-width:{inches * 72 * 4 / 3:.0f}px"
    return f'<svg role="img" aria-labelledby="{key}-title {key}-desc" style="{style}"'


def _alternative(key: str, title: str, description: str) -> str:
    return f'<title id="{key}-title">{escape(title)}</title><desc id="{key}-desc">{escape(description)}</desc>'
