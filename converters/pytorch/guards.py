"""What torch decides by a size while it traces and translates: the guards that it then leaves out of the graph.

torch tells of each guard in the log of its symbolic shapes, as the arguments of a message; where in the model's code
that was, the frames of the moment tell, or in the translation the trace that the node in work carries.
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

from assay.converters.pytorch.lowerings import substitutions

LOGGER = "torch.fx.experimental.symbolic_shapes"
_MESSAGE = "[guard added]"
_KINDS = ("eval", "runtime_assert", "eval (forcing_spec)")
_OWN = str(Path(__file__).parent)
_STANDARD = sysconfig.get_path("stdlib")
_OPERATORS = frozenset({"_decomp", "_refs", "_prims", "_prims_common", "_subclasses", "_meta_registrations.py"})
_FILE = re.compile(r'File "([^"]+)", line (\d+)')


@dataclass(frozen=True)
class Guard:
    """One guard in torch's own words (``Eq(Mod(s27, 4), 0)``), and the line of the model's code, as ``file.py:12``.

    ``of_operator`` where torch decided it to find the shape or the strides of an operator's result.
    """

    text: str
    line: str | None = None
    of_operator: bool = False


@dataclass
class Guards:
    """The guards that were heard, in order."""

    heard: list[Guard] = field(default_factory=list)

    def is_of_operators(self, symbol: str) -> bool:
        """Whether all that was decided by this symbol is that it is not 1, and operators alone asked."""
        told = [guard for guard in self.heard if re.search(rf"\b{symbol}\b", guard.text)]
        return bool(told) and all(guard.of_operator and guard.text == f"Ne({symbol}, 1)" for guard in told)

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
        self.guards.heard.append(Guard(str(arguments[1]), *_origin()))


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


def line_of_error(error: BaseException) -> str | None:
    """The innermost line of the model's code that an error came from."""
    frames = [(frame, number) for frame, number in traceback.walk_tb(error.__traceback__) if _is_of_a_model(frame)]
    own = [(frame.f_code.co_filename, number) for frame, number in frames if "assay" not in frame.f_globals["__name__"]]
    return f"{Path(own[-1][0]).name}:{own[-1][1]}" if own else None


def _origin() -> tuple[str | None, bool]:
    """The line of the model's code that runs, else that of the node in work; whether an operator asks."""
    asked = False
    for frame, number in traceback.walk_stack(None):
        path = frame.f_code.co_filename
        if frame.f_globals.get("__name__") == substitutions.__name__:  # stands between the model's code and torch
            continue
        if path.startswith(_OWN) and path != __file__:
            break
        if _is_of_a_model(frame):
            return f"{Path(path).name}:{number}", asked
        asked = asked or not _OPERATORS.isdisjoint(Path(path).parts)
    return _line_of_node(), asked


def _line_of_node() -> str | None:
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
