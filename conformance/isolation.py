"""Every runtime works in a process of its own: a crash or a hang is an event with a name, never the end of the run."""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from loky import process_executor
from loky.process_executor import BrokenProcessPool, ProcessPoolExecutor, TerminatedWorkerError

P = ParamSpec("P")
T = TypeVar("T")
_WATCH_SECONDS = 1.0
_EXIT_CODE = re.compile(r"\{?(?:SIG\w+|EXIT|UNKNOWN)?\((-?\d+)\)")


class WorkerDied(Exception):
    """The process ended in the middle of its work, by a signal or by an exit, or what it gave can't be read."""

    def __init__(self, exit_code: int | None, reason: str | None = None) -> None:
        super().__init__(exit_code, reason)
        self.exit_code, self.reason = exit_code, reason

    def __str__(self) -> str:
        if self.exit_code is None:
            return "the process died" + (f": {self.reason}" if self.reason else "")
        if self.exit_code == -signal.SIGKILL:
            return "the process was killed by SIGKILL, as a machine does that has no memory left"
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
    """One process that runs functions; a dead or overdue one is replaced at the next call.

    ``folder`` is where arrays cross. It goes when the worker is closed, and when this process is killed.
    """

    def __init__(self, time_limit: float = 600.0) -> None:
        self.time_limit = time_limit
        self._pool: ProcessPoolExecutor | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def folder(self) -> Path:
        """A folder for the files that cross between the two processes."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="assay-", ignore_cleanup_errors=True)
        return Path(self._folder.name)

    @property
    def running(self) -> bool:
        """Whether the process is there already, with what it keeps."""
        return self._pool is not None

    def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run an importable function there; raises `WorkerDied`, `WorkerTimedOut`, or what the function raises."""
        try:
            future: Future[T] = self._started().submit(function, *args, **kwargs)
            done, _ = wait([future], self.time_limit)  # a TimeoutError of the function's own is no hang
            if not done:
                self._end()
                raise WorkerTimedOut(self.time_limit)
            return future.result()
        except TerminatedWorkerError as error:
            self._end()
            raise WorkerDied(_exit_code(str(error))) from None
        except BrokenProcessPool as error:
            self._end()
            raise WorkerDied(None, str(error).split(".")[0].lower()) from None
        except SystemExit as error:  # the function's: loky carries it over, and it would end this process
            self._end()
            raise WorkerDied(error.code if isinstance(error.code, int) else int(error.code is not None)) from None

    def prepare(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Start the process and this function in it, and do not wait: what goes wrong shows at the next call."""
        self._started().submit(function, *args, **kwargs)

    def close(self) -> None:
        """End the process, whatever it is doing, and remove its folder."""
        self._end()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                max_workers=1,
                env={"PYTHONFAULTHANDLER": ""},  # no trace of a crash that we report
                initializer=_begin,
                initargs=(os.getpid(), self.folder),
            )
        return self._pool

    def _end(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, kill_workers=True)
            self._pool = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _begin(parent: int, folder: Path) -> None:
    """In the worker: end when the parent was killed, for loky's workers would wait for work for ever.

    Where psutil is there, loky would end a worker that has grown by 300 MB, and the sessions that it keeps.
    """
    process_executor._USE_PSUTIL = False
    Thread(target=_watch, args=(parent, folder), daemon=True).start()


def _watch(parent: int, folder: Path) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def _exit_code(message: str) -> int | None:
    """The exit code in loky's message, which is the only place that has it."""
    found: list[Any] = _EXIT_CODE.findall(message)
    return int(found[0]) if found else None
