"""Every runtime works in a process of its own: a crash or a hang is an event with a name, never the end of the run."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeout
from threading import Thread
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from loky.process_executor import ProcessPoolExecutor, TerminatedWorkerError

P = ParamSpec("P")
T = TypeVar("T")
_WATCH_SECONDS = 1.0
_EXIT_CODE = re.compile(r"\{?(?:SIG\w+|EXIT|UNKNOWN)?\((-?\d+)\)")


class WorkerDied(Exception):
    """The process ended in the middle of its work, by a signal or by ``os._exit``."""

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code

    def __str__(self) -> str:
        if self.exit_code is None:
            return "the process died"
        if self.exit_code < 0:
            return f"the process was killed by {signal.Signals(-self.exit_code).name}"
        return f"the process exited with status {self.exit_code}"


class WorkerTimedOut(Exception):
    """The process was still at work when its time was up; seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    def __str__(self) -> str:
        return f"the process was still at work after {self.seconds:g} s"


class Worker:
    """One process that runs functions; a dead or overdue one is replaced at the next call."""

    def __init__(self, time_limit: float = 600.0) -> None:
        self.time_limit = time_limit
        self._pool: ProcessPoolExecutor | None = None

    def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run an importable function there; raises `WorkerDied`, `WorkerTimedOut`, or what the function raises."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                max_workers=1,
                env={"PYTHONFAULTHANDLER": ""},  # no trace of a crash that we report
                initializer=_end_with_parent,
                initargs=(os.getpid(),),
            )
        try:
            result: T = self._pool.submit(function, *args, **kwargs).result(self.time_limit)
        except TerminatedWorkerError as error:
            self.close()
            raise WorkerDied(_exit_code(str(error))) from None
        except FutureTimeout:
            self.close()
            raise WorkerTimedOut(self.time_limit) from None
        return result

    def close(self) -> None:
        """End the process, whatever it is doing."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, kill_workers=True)
            self._pool = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _end_with_parent(parent: int) -> None:
    """In the worker: end when the parent was killed, for loky's workers would wait for work for ever."""
    Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)


def _exit_code(message: str) -> int | None:
    """The exit code in loky's message, which is the only place that has it."""
    found: list[Any] = _EXIT_CODE.findall(message)
    return int(found[0]) if found else None
