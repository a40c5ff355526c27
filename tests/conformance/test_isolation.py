"""A worker that dies or hangs is an event with a name; the next call finds a fresh one."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import Any

import pytest

from assay.conformance.isolation import Worker, WorkerDied, WorkerTimedOut


def test_a_call_gives_what_the_function_gives() -> None:
    with Worker(30) as worker:
        assert worker.call(divmod, 7, 2) == (3, 1)
        assert worker.call(sorted, [1, 3, 2], reverse=True) == [3, 2, 1]


def test_calls_share_one_process_that_is_not_ours() -> None:
    with Worker(30) as worker:
        first, second = worker.call(os.getpid), worker.call(os.getpid)
    assert first == second != os.getpid()


def test_what_the_function_raises_comes_out() -> None:
    with Worker(30) as worker:
        with pytest.raises(ZeroDivisionError):
            worker.call(divmod, 1, 0)
        assert worker.call(divmod, 7, 2) == (3, 1)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT, signal.SIGFPE, signal.SIGILL])
def test_a_signal_is_named(number: signal.Signals, capfd: pytest.CaptureFixture[str]) -> None:
    with Worker(30) as worker:
        with pytest.raises(WorkerDied, match=f"killed by {number.name}") as died:
            worker.call(os.kill, worker.call(os.getpid), number)
        assert died.value.exit_code == -number
        assert worker.call(divmod, 7, 2) == (3, 1)
    assert capfd.readouterr().err == ""


def test_a_bad_address_is_a_segmentation_fault(capfd: pytest.CaptureFixture[str]) -> None:
    with Worker(30) as worker, pytest.raises(WorkerDied, match="killed by SIGSEGV"):
        worker.call(ctypes.string_at, 0)
    assert capfd.readouterr().err == ""


def test_an_exit_status_is_told() -> None:
    with Worker(30) as worker, pytest.raises(WorkerDied, match="exited with status 7"):
        worker.call(os._exit, 7)


def _exit_like_a_script(code: object) -> None:
    sys.exit(code)  # type: ignore[arg-type]


@pytest.mark.parametrize(("code", "status"), [(3, 3), ("a last word", 1), (None, 0)])
def test_an_exit_of_the_interpreter_ends_the_worker_alone(code: object, status: int) -> None:
    with Worker(30) as worker:
        with pytest.raises(WorkerDied, match=f"exited with status {status}"):
            worker.call(_exit_like_a_script, code)
        assert worker.call(divmod, 7, 2) == (3, 1)


def _raise(error: type[Exception]) -> None:
    raise error("of its own")


@pytest.mark.parametrize("error", [TimeoutError, FutureTimeout, MemoryError, OSError])
def test_a_function_may_raise_what_looks_like_the_workers_own(error: type[Exception]) -> None:
    with Worker(30) as worker:
        process = worker.call(os.getpid)
        with pytest.raises(error, match="of its own"):
            worker.call(_raise, error)
        assert worker.call(os.getpid) == process


class _Unreadable:
    def __reduce__(self) -> tuple[Any, ...]:
        return int, ("no number",)


def _unreadable() -> Any:
    return _Unreadable()


def test_a_result_that_can_not_be_read_is_an_event_too() -> None:
    with Worker(30) as worker:
        with pytest.raises(WorkerDied, match="failed to un-serialize"):
            worker.call(_unreadable)
        assert worker.call(divmod, 7, 2) == (3, 1)


def _fill_memory(limit: int) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    return len(bytearray(2 * limit))


def test_memory_that_runs_out_is_an_error_of_the_call() -> None:
    with Worker(30) as worker, pytest.raises(MemoryError):
        worker.call(_fill_memory, 4 << 30)


def test_a_kill_for_memory_is_told_as_one() -> None:
    with Worker(30) as worker, pytest.raises(WorkerDied, match="SIGKILL, as a machine does that has no memory left"):
        worker.call(os.kill, worker.call(os.getpid), signal.SIGKILL)


_KILLED = """
import os, time
from pathlib import Path
from assay.conformance.isolation import Worker

worker = Worker()
(worker.folder / "array.npy").write_bytes(b"")
print(worker.folder, worker.call(os.getpid), flush=True)
time.sleep(60)
"""


def test_a_killed_run_leaves_no_process_and_no_folder() -> None:
    with subprocess.Popen([sys.executable, "-c", _KILLED], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        folder, process = run.stdout.readline().split()
        assert Path(folder).is_dir()
        run.kill()
    deadline = time.monotonic() + 20
    while (Path(folder).exists() or _lives(int(process))) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not Path(folder).exists()
    assert not _lives(int(process))


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_folder_goes_with_the_worker() -> None:
    with Worker(30) as worker:
        folder = worker.folder
        assert folder.is_dir()
    assert not folder.exists()


def test_a_hang_ends_with_the_time_limit_and_its_process() -> None:
    begin = time.monotonic()
    with Worker(0.5) as worker:
        worker.time_limit = 30
        process = worker.call(os.getpid)
        worker.time_limit = 0.5
        with pytest.raises(WorkerTimedOut, match=r"still at work after 0\.5 s"):
            worker.call(time.sleep, 60)
        worker.time_limit = 30
        assert worker.call(os.getpid) != process
    assert time.monotonic() - begin < 20
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_an_exit_of_the_block_ends_the_process() -> None:
    with Worker(30) as worker:
        process = worker.call(os.getpid)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
