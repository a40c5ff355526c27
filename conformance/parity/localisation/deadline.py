"""The time that an explanation may take; a verdict never waits for it longer."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


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
