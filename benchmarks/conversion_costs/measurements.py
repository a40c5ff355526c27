"""Measurements in processes of their own, each kept in a file as soon as it is there."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Arguments = tuple[str, ...]


@dataclass
class Measurements:
    """What was measured, by task and its arguments; ``program`` is run again for each, with ``--worker``."""

    program: str
    path: Path
    seconds: float
    gigabytes: float
    found: dict[str, dict[str, Any]] = field(default_factory=dict)

    def measure(self, task: str, key: str, arguments: Arguments) -> dict[str, Any]:
        """Measure in a process of its own, or take what an earlier run has measured."""
        if key not in self.found:
            sys.stderr.write(f"{key}\n")
            self.found[key] = self._run(task, arguments)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(json.dumps(self.found), encoding="utf-8")
        return self.found[key]

    def _run(self, task: str, arguments: Arguments) -> dict[str, Any]:
        command = [sys.executable, self.program, "--worker", json.dumps([task, *arguments]), "--gigabytes"]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        try:
            done = subprocess.run(
                [*command, str(self.gigabytes)],
                capture_output=True,
                text=True,
                env=environment,
                timeout=self.seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {"failed": f"took more than {self.seconds:g} s"}
        lines = done.stdout.splitlines()
        if done.returncode or not lines:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            return {"failed": f"exit status {done.returncode}: {last[:200]}"}
        found: dict[str, Any] = json.loads(lines[-1])
        return found


def work(tasks: Mapping[str, Callable[..., dict[str, Any]]], order: str, gigabytes: float) -> None:
    """The worker's side: measure, and print what was found as the last line."""
    task, *arguments = json.loads(order)
    limit = int(gigabytes * (1 << 30))
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what frameworks print is no answer
    answers.write(json.dumps(tasks[task](*arguments)) + "\n")
    answers.flush()
