"""The time that an explanation may take; a verdict never waits for it longer."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

_AGAIN = 1.0  # seconds: code that swallows the first interruption gets another


class OutOfTime(Exception):
    """The explanation took longer than it may; seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    def __str__(self) -> str:
        return f"it took more than the {self.seconds:g} s that it may take"


@dataclass(frozen=True)
class Deadline:
    """A moment some seconds from now."""

    seconds: float
    begin: float = field(default_factory=time.monotonic)

    def check(self) -> None:
        """Raise `OutOfTime` where it has passed."""
        if self.left <= 0:
            raise OutOfTime(self.seconds)

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.seconds - (time.monotonic() - self.begin)


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    """Raise `OutOfTime` in what runs here for longer, such as a live model's own code that hangs.

    Only the main thread of a system with timers can be interrupted, and only between two steps of Python; elsewhere,
    and where somebody else has set the timer, nothing is done.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    if signal.getitimer(signal.ITIMER_REAL)[0] > 0:
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise OutOfTime(seconds)

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3), _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
