"""What torch decides by a size while it traces and translates: the guards that it then leaves out of the graph.

torch tells of each guard in the log of its symbolic shapes, as the arguments of a message; where in the model's code that
was, the frames of the moment tell, or in the translation the trace that the node in work carries.
"""

from __future__ import annotations

import logging
import re
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import torch

LOGGER = "torch.fx.experimental.symbolic_shapes"
_MESSAGE = "[guard added]"
_KINDS = ("eval", "runtime_assert", "eval (forcing_spec)")
_OWN = str(Path(__file__).parent)
_STANDARD = sysconfig.get_path("stdlib")
_FILE = re.compile(r'File "([^"]+)", line (\d+)')


@dataclass(frozen=True)
class Guard:
    """One guard in torch's own words (``Eq(Mod(s27, 4), 0)``), and the line of the model's code, as ``file.py:12``."""

    text: str
    line: str | None = None


@dataclass
class Guards:
    """The guards that were heard, in order."""

    heard: list[Guard] = field(default_factory=list)

    def line_of(self, symbol: str) -> str | None:
        """The last line that spoke of a symbol: after it, nothing was left to decide."""
        told = (guard.line for guard in reversed(self.heard) if re.search(rf"\b{symbol}\b", guard.text))
        return next((line for line in told if line), None)


class _Listener(logging.Handler):
    def __init__(self, guards: Guards) -> None:
        super().__init__(logging.INFO)
        self.guards = guards

    def emit(self, record: logging.LogRecord) -> None:
        """Called where torch decides, so that the frames are those of the decision."""
        arguments = record.args if isinstance(record.args, tuple) else ()
        if _MESSAGE not in str(record.msg) or len(arguments) < 2 or arguments[0] not in _KINDS:
            return
        self.guards.heard.append(Guard(str(arguments[1]), _line()))


@contextmanager
def listening() -> Iterator[Guards]:
    """Collect the guards of what runs inside; nothing of it is written anywhere."""
    guards, logger = Guards(), logging.getLogger(LOGGER)
    before = (logger.level, logger.propagate, list(logger.handlers), list(logger.filters), logger.disabled)
    silenced = logging.root.manager.disable
    try:
        logging.disable(logging.NOTSET)  # who turned logs off wants to read none, and will not
        logger.propagate, logger.disabled = False, False
        logger.handlers[:], logger.filters[:] = [_Listener(guards)], []
        logger.setLevel(logging.INFO)
        yield guards
    finally:
        logging.disable(silenced)
        level, logger.propagate, logger.handlers[:], logger.filters[:], logger.disabled = before
        logger.setLevel(level)


def _line() -> str | None:
    """The line of the model's code that runs, else the one that the node in work comes from."""
    for frame, number in traceback.walk_stack(None):
        path = frame.f_code.co_filename
        if path.startswith(_OWN) and frame.f_code.co_filename != __file__:
            break
        if _is_of_a_model(frame):
            return f"{Path(path).name}:{number}"
    trace = torch.fx.traceback.get_current_meta().get("stack_trace") or ""
    lines = [found for found in _FILE.findall(trace) if not _is_of_torch(found[0])]
    return f"{Path(lines[-1][0]).name}:{lines[-1][1]}" if lines else None


def _is_of_a_model(frame: FrameType) -> bool:
    path = frame.f_code.co_filename
    standard = path.startswith(_STANDARD) and "site-packages" not in path
    return path != __file__ and not path.startswith("<") and not standard and not _is_of_torch(path)


def _is_of_torch(path: str) -> bool:
    folders = Path(path).parts
    return any(package in folders for package in ("torch", "onnxscript", "onnx_ir", "sympy"))
