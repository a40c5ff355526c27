"""Shape inference in a process of its own: what crashes, hangs or eats memory there ends there."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock, Timer

_PROGRAM = Path(__file__).with_name("inference_program.py")
_SECONDS = 5.0
_BYTES_PER_SECOND = 1 << 20  # healthy models take a tenth of this time
_HEAD = 9  # bytes: whether it went well, and the length of what follows


class InferenceFailedError(Exception):
    """Shape inference refused the model, or its process came to no end."""


@dataclass(frozen=True)
class _Process:
    process: subprocess.Popen[bytes]
    lock: Lock

    def ask(self, model: bytes, seconds: float) -> bytes:
        """What the process answers; raises `InferenceFailedError`."""
        overdue = Timer(seconds, self.process.kill)
        overdue.start()
        try:
            answer = self._exchange(model)
        except OSError:
            answer = None
        finally:
            overdue.cancel()
        if answer is None:
            raise InferenceFailedError(self._end(seconds))
        if not answer[0]:
            raise InferenceFailedError(answer[1].decode(errors="replace"))
        return answer[1]

    def _exchange(self, model: bytes) -> tuple[bool, bytes] | None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(len(model).to_bytes(8, "little") + model)
        self.process.stdin.flush()
        head = self.process.stdout.read(_HEAD)
        length = int.from_bytes(head[1:], "little")
        body = self.process.stdout.read(length) if len(head) == _HEAD else b""
        return (head[0] == 1, body) if len(head) == _HEAD and len(body) == length else None

    def _end(self, seconds: float) -> str:
        _started.cache_clear()
        self.close()
        status = self.process.returncode
        if status == -9:
            return f"shape inference came to no end within {seconds:g} s"
        return f"shape inference crashed with status {status}"

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()
        for stream in (self.process.stdin, self.process.stdout):
            with suppress(OSError):
                if stream is not None:
                    stream.close()
        self.process.wait()


@cache
def _started(_asker: int) -> _Process:
    """The process that belongs to the one with this identifier: a fork has one of its own."""
    command = [sys.executable, "-P", str(_PROGRAM)]
    pipe = subprocess.PIPE
    started = _Process(
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, cwd=_PROGRAM.parent), Lock()
    )
    atexit.register(started.close)
    return started


def prepare() -> None:
    """Start the process, which takes a while, and do not wait for it."""
    _started(os.getpid())


def infer_shapes(model: bytes) -> bytes:
    """A serialized graph of the types that ONNX infers in this serialized model; raises `InferenceFailedError`."""
    process = _started(os.getpid())
    with process.lock:
        return process.ask(model, _SECONDS + len(model) / _BYTES_PER_SECOND)
