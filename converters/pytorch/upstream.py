"""What torch's exporters say while they work: silenced, and brief where it is the reason of a refusal."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGERS = (
    *("torch.onnx", "torch._dynamo", "torch.export", "torch.fx.experimental", "onnxscript", "onnx_ir"),
    *("torch._export", "torch._guards"),
)


def reason(error: BaseException) -> str:
    """The first sentences of an exporter's error: the cause where it names one, without the advice."""
    root = error
    while root.__cause__ is not None:
        root = root.__cause__
    lines = [line.strip() for line in str(root).splitlines() if line.strip()]
    return f"{type(root).__name__}: {' '.join(lines[:4])[:600]}"


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what torch's exporters log and warn; what went wrong is an exception, and parity proves the rest."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
