"""What torch's exporters say while they work: silenced, and brief where it is the reason of a refusal."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from onnxscript import rewriter
from onnxscript.rewriter.rules.common import _no_op


def reason(error: BaseException) -> str:
    """The first sentences of an exporter's error: the cause where it names one, without the advice."""
    root = error
    while root.__cause__ is not None:
        root = root.__cause__
    lines = [line.strip() for line in str(root).splitlines() if line.strip()]
    return f"{type(root).__name__}: {' '.join(lines[:4])[:600]}"


@contextmanager
def exact_rewriting() -> Iterator[None]:
    """Without onnxscript's rules that take ``x + 1e-9`` for ``x + 0``: they compare constants with a tolerance."""
    kept = rewriter._DEFAULT_REWRITE_RULES
    loose = {id(rule) for rule in _no_op.rules}
    rewriter._DEFAULT_REWRITE_RULES = tuple(rule for rule in kept if id(rule) not in loose)
    try:
        yield
    finally:
        rewriter._DEFAULT_REWRITE_RULES = kept


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what torch's exporters log and warn; what went wrong is an exception, and parity proves the rest."""
    loggers = [
        logging.getLogger(name) for name in ("torch.onnx", "torch._dynamo", "torch.export", "onnxscript", "onnx_ir")
    ]
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
