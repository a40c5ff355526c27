"""A worker that dies or hangs is an event with a name; the next call finds a fresh one."""

from __future__ import annotations

import ctypes
import os
import signal
import time

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
