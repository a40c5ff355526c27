"""Converts many calls and layers of TensorFlow by each exporter, and judges every one at several shapes.

python benchmarks/coverage_tensorflow.py                    # every part; table and JSON under docs/benchmarks/
python benchmarks/coverage_tensorflow.py --part operators
python benchmarks/coverage_tensorflow.py --part families    # needs keras-hub besides
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import select
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module, util
from pathlib import Path
from typing import Any

from machine import DOCS, machine, table, write
from tensorflow_cases.judging import VERDICTS, Outcome

PARTS = ("operators", "layers", "keras_ops", "families")
_PACKAGES = {"families": "keras_hub"}  # what a part needs besides the framework
EXPORTERS = ("assay.tensorflow", "tf2onnx")
_SECONDS, _GIGABYTES = 60.0, 8  # a case may take and use that much


@dataclass
class Worker:
    """A process that judges one case after the other; it ends with a case that takes too long or kills it."""

    part: str
    exporter: str
    opset: int | None
    process: Any = field(init=False, default=None)

    def judge(self, index: int, name: str) -> Outcome:
        """The verdict on the case of this index."""
        if self.process is None:
            self._start()
        self.process.stdin.write(f"{index}\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], _SECONDS + (60 if index == 0 else 0))
        line = self.process.stdout.readline() if ready else ""
        if line:
            return Outcome(**json.loads(line))
        reason = "killed its process" if ready else f"took more than {_SECONDS:g} s"
        self.close()
        return Outcome(name, self.exporter, "failed", reason)

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _start(self) -> None:
        command = [sys.executable, __file__, "--worker", self.part, self.exporter, str(self.opset or "")]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )


def work(part: str, exporter: str, opset: int | None) -> None:
    """The worker's side: an index a line in, an outcome a line out."""
    from tensorflow_cases.judging import Unjudgeable, judge

    resource.setrlimit(resource.RLIMIT_DATA, (_GIGABYTES << 30, _GIGABYTES << 30))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what frameworks print is no answer
    cases = _cases(part)
    for line in sys.stdin:
        case = cases[int(line)]
        try:
            outcome = judge(case, exporter, opset)
        except Unjudgeable as error:
            outcome = Outcome(case.name, exporter, "unjudgeable", str(error)[:300])
        answers.write(json.dumps(outcome.as_dict()) + "\n")
        answers.flush()


def _cases(part: str) -> list[Any]:
    return list(import_module(f"tensorflow_cases.{part}").cases())


def measure(part: str, exporters: Sequence[str], opset: int | None) -> Iterator[Outcome]:
    """Every case by every exporter."""
    names = [case.name for case in _cases(part)]
    for exporter in exporters:
        worker = Worker(part, exporter, opset)
        for index, name in enumerate(names):
            yield worker.judge(index, name)
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{part} {exporter} {index + 1}/{len(names)} ")
        worker.close()


def summary(outcomes: dict[str, list[Outcome]], seconds: dict[str, float]) -> str:
    """The table of verdicts, and what the native converter does not have right."""
    rows = []
    for part, found in outcomes.items():
        for exporter in dict.fromkeys(outcome.exporter for outcome in found):
            own = [outcome for outcome in found if outcome.exporter == exporter and outcome.verdict != "unjudgeable"]
            counts = Counter(outcome.verdict for outcome in own)
            share = f"{100 * counts['right'] / max(len(own), 1):.1f} %"
            empty = sum(outcome.verdict == "wrong" and _is_empty(outcome) for outcome in own)
            rows.append([part, exporter, len(own), *(counts[verdict] for verdict in VERDICTS), share, empty])
    text = table(["part", "exporter", "cases", *VERDICTS, "right", "wrong only where a tensor is empty"], rows)
    times = ", ".join(f"{part} {value:.0f} s" for part, value in seconds.items())
    return f"{text}\n\nWall time of all exporters: {times}\n\n{_not_right(outcomes)}"


def _is_empty(outcome: Outcome) -> bool:
    """Whether the shapes at which it is wrong have an axis of no elements; smaller trials come first."""
    return re.search(r"[(, ]0[,)]", outcome.reason.partition(": ")[0]) is not None


def _not_right(outcomes: dict[str, list[Outcome]]) -> str:
    rows = [
        [part, outcome.name, outcome.verdict, outcome.reason.replace("|", "\\|")]
        for part, found in outcomes.items()
        for outcome in found
        if outcome.exporter == EXPORTERS[0] and outcome.verdict != "right"
    ]
    return "What the native converter refuses or has wrong:\n\n" + table(["part", "case", "verdict", "reason"], rows)


def _kept(outcomes: list[Outcome]) -> dict[str, Any]:
    """By exporter: the names of the cases that are right, and every other outcome whole."""
    return {
        exporter: {
            "right": [o.name for o in outcomes if o.exporter == exporter and o.verdict == "right"],
            "other": [o.as_dict() for o in outcomes if o.exporter == exporter and o.verdict != "right"],
        }
        for exporter in dict.fromkeys(outcome.exporter for outcome in outcomes)
    }


def main() -> None:
    """Run the parts that there are, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--exporter", choices=EXPORTERS, action="append")
    parser.add_argument("--opset", type=int)
    parser.add_argument("--output", type=Path, default=DOCS)
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        part, exporter, opset = options.worker
        work(part, exporter, int(opset) if opset else None)
        return
    sys.stdout.write(machine() + "\n\n")
    outcomes: dict[str, list[Outcome]] = {}
    seconds: dict[str, float] = {}
    for part in options.part or PARTS:
        lacking = _PACKAGES.get(part)
        if lacking is not None and util.find_spec(lacking) is None:
            package = lacking.replace("_", "-")
            sys.stdout.write(f"{part} is left out: {package} is not installed: pip install {package}\n\n")
            continue
        start = time.perf_counter()
        outcomes[part] = list(measure(part, options.exporter or EXPORTERS, options.opset))
        seconds[part] = time.perf_counter() - start
    text = summary(outcomes, seconds)
    data = {"seconds": seconds, "parts": {part: _kept(found) for part, found in outcomes.items()}}
    write("coverage_tensorflow", "python benchmarks/coverage_tensorflow.py", text, data, options.output)
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
