"""Judges cases one after the other in a process of their own, which ends with a case that takes long or kills it."""

from __future__ import annotations

import json
import os
import resource
import select
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from outcomes import Outcome, Unjudgeable, told

_START_SECONDS = 60.0


@dataclass
class Worker:
    """The driver's side; ``command`` starts a process that calls `serve`."""

    command: Sequence[str]
    exporter: str
    seconds: float
    process: Any = field(init=False, default=None)

    def judge(self, key: str, name: str) -> Outcome:
        """The verdict on the case of this key, a text of one line."""
        limit = self.seconds
        if self.process is None:
            self._start()
            limit += _START_SECONDS
        self.process.stdin.write(f"{key}\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], limit)
        line = self.process.stdout.readline() if ready else ""
        if line:
            return Outcome(**json.loads(line))
        reason = "killed its process" if ready else f"took more than {self.seconds:g} s"
        self.close()
        return Outcome(name, self.exporter, "failed", reason)

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _start(self) -> None:
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        self.process = subprocess.Popen(
            [sys.executable, *self.command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )


def serve(judge: Callable[[str], Outcome], exporter: str, gigabytes: int) -> None:
    """The worker's side: a key a line in, an outcome a line out; what can't be judged is said with its key."""
    resource.setrlimit(resource.RLIMIT_DATA, (gigabytes << 30, gigabytes << 30))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what frameworks print is no answer
    for line in sys.stdin:
        key = line.rstrip("\n")
        try:
            outcome = judge(key)
        except Unjudgeable as error:
            outcome = Outcome(key, exporter, "unjudgeable", told(str(error)))
        answers.write(json.dumps(outcome.as_dict()) + "\n")
        answers.flush()
