"""Converts many calls and layers of TensorFlow by each exporter, and judges every one at several shapes.

python benchmarks/coverage_tensorflow.py                    # every part; table and JSON under docs/benchmarks/
python benchmarks/coverage_tensorflow.py --part operators
python benchmarks/coverage_tensorflow.py --part families    # needs keras-hub besides
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import import_module, util
from pathlib import Path
from typing import Any

from case_worker import Worker, serve
from machine import DOCS, machine, table, write
from outcomes import VERDICTS, Outcome, counts, kept

PARTS = ("operators", "layers", "keras_ops", "families")
_OF_MODELS = ("layers", "families")
_PACKAGES = {"families": "keras_hub"}  # what a part needs besides the framework
EXPORTERS = ("assay.tensorflow", "tf2onnx", "tf2onnx.from_keras", "model.export")
_OF_FUNCTIONS = EXPORTERS[:2]  # the others take a Keras model
_SECONDS, _GIGABYTES = 60.0, 8  # a case may take and use that much


def work(part: str, exporter: str, opset: int | None) -> None:
    """The worker's side: a case is known by its index."""
    from tensorflow_cases.judging import judge

    cases = _cases(part)

    def judged(index: str) -> Outcome:
        return judge(cases[int(index)], exporter, opset)

    serve(judged, exporter, _GIGABYTES)


def _cases(part: str) -> list[Any]:
    return list(import_module(f"tensorflow_cases.{part}").cases())


def measure(part: str, exporters: Sequence[str], opset: int | None) -> Iterator[Outcome]:
    """Every case by every exporter."""
    names = [case.name for case in _cases(part)]
    for exporter in exporters:
        worker = Worker([__file__, "--worker", part, exporter, str(opset or "")], exporter, _SECONDS)
        for index, name in enumerate(names):
            yield replace(worker.judge(str(index), name), name=name)
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{part} {exporter} {index + 1}/{len(names)} ")
        worker.close()


def summary(outcomes: dict[str, list[Outcome]], seconds: dict[str, float]) -> str:
    """The table of verdicts, and what the native converter does not have right."""
    rows = []
    for part, found in outcomes.items():
        for exporter in dict.fromkeys(outcome.exporter for outcome in found):
            own = [outcome for outcome in found if outcome.exporter == exporter]
            empty = sum(outcome.verdict == "wrong" and _is_empty(outcome) for outcome in own)
            rows.append([part, exporter, *counts(own), empty])
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
        exporters = EXPORTERS if part in _OF_MODELS else _OF_FUNCTIONS
        chosen = [one for one in exporters if one in (options.exporter or exporters)]
        outcomes[part] = list(measure(part, chosen, options.opset))
        seconds[part] = time.perf_counter() - start
    text = summary(outcomes, seconds)
    data = {"seconds": seconds, "parts": {part: kept(found) for part, found in outcomes.items()}}
    write("coverage_tensorflow", "python benchmarks/coverage_tensorflow.py", text, data, options.output)
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
