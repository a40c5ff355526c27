"""Converts many PyTorch models by each exporter, and judges every one at several shapes.

python benchmarks/coverage_pytorch.py                                   # every part that there is
python benchmarks/coverage_pytorch.py --part operators --samples all --only 'roll|cumsum'
python benchmarks/coverage_pytorch.py --part operators --every 10 --resume

A part is a module ``benchmarks/pytorch_cases/PART.py`` with the two functions of `pytorch_cases.case.Part`, and its
name in ``PARTS``. Results go to ``docs/benchmarks/coverage_pytorch.json``; parts that are not run keep theirs.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module, util
from pathlib import Path
from typing import Any

from case_worker import Worker, serve
from machine import DOCS, machine, table, write
from outcomes import VERDICTS, Outcome, counts, kept

PARTS = ("operators", "traps", "timm_models", "torchvision_models", "transformers_models")
EXPORTERS = ("assay.pytorch", "torch.onnx", "torch.onnx.torchscript")
_SECONDS, _GIGABYTES = {"operators": 60.0, "traps": 60.0}, 8  # a case may take and use that much
_NAME = "coverage_pytorch"


@dataclass(frozen=True)
class Selection:
    """Which cases are run."""

    samples: int | None
    every: int
    only: str | None

    def of(self, names: Sequence[str]) -> list[str]:
        """Those of the names that are chosen."""
        chosen = [name for name in names if self.only is None or re.search(self.only, name)]
        return chosen[:: self.every]

    def __str__(self) -> str:
        samples = "all samples" if self.samples is None else f"{self.samples} samples an entry and dtype"
        only = "" if self.only is None else f", names with {self.only!r}"
        return f"{samples}, every {self.every}. case{only}"


@dataclass(frozen=True)
class Journal:
    """What has been judged so far, a line an outcome, from which a run goes on that was cut off."""

    path: Path

    @cached_property
    def known(self) -> dict[tuple[str, str, str], Outcome]:
        """By part, exporter and case."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        found = [json.loads(line) for line in lines]
        return {(part, one["exporter"], one["name"]): Outcome(**one) for part, one in found}

    def add(self, part: str, outcome: Outcome) -> None:
        """Keep one more."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([part, outcome.as_dict()]) + "\n")


def work(part: str, exporter: str, opset: int | None) -> None:
    """The worker's side: a case is known by its name."""
    from pytorch_cases.judging import judge

    cases = _part(part)

    def judged(name: str) -> Outcome:
        return judge(cases.case(name), exporter, opset)

    serve(judged, exporter, _GIGABYTES)


def _part(part: str) -> Any:
    return import_module(f"pytorch_cases.{part}")


def measure(
    part: str, exporters: Sequence[str], opset: int | None, selection: Selection, journal: Journal
) -> Iterator[Outcome]:
    """Every chosen case by every exporter; what can't be judged for the first is not tried by the others."""
    names = selection.of(_part(part).names(selection.samples))
    hopeless: set[str] = set()
    for exporter in exporters:
        worker = Worker([__file__, "--worker", part, exporter, str(opset or "")], exporter, _SECONDS.get(part, 300.0))
        for index, name in enumerate(one for one in names if one not in hopeless):
            known = journal.known.get((part, exporter, name))
            outcome = known or worker.judge(name, name)
            if known is None:
                journal.add(part, outcome)
            if outcome.verdict == "unjudgeable":
                hopeless.add(name)
            yield outcome
            _progress(f"{part} {exporter} {index + 1}/{len(names)}")
        worker.close()


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{text} ")


def summary(parts: Mapping[str, Any]) -> str:
    """The table of verdicts, that of whole entries, and what our own exporter does not have right."""
    rows, entries = [], []
    for part, data in parts.items():
        for exporter, found in data["exporters"].items():
            outcomes = _outcomes(exporter, found)
            rows.append([part, exporter, *counts(outcomes), _seconds(found)])
            entries += [[part, exporter, *row] for row in _by_entry(outcomes)]
    text = table(["part", "exporter", "cases", *VERDICTS, "right", "seconds a case not right"], rows)
    runs = "\n".join(f"- {part}: {data['selection']}; {data['seconds']:.0f} s" for part, data in parts.items())
    by_entry = table(["part", "exporter", "dtype", "entries", "right on all samples", "share"], entries)
    return f"{text}\n\n{runs}\n\n{by_entry}\n\n{_not_right(parts)}"


def _outcomes(exporter: str, found: Mapping[str, Any]) -> list[Outcome]:
    right = [Outcome(name, exporter, "right") for name in found["right"]]
    return right + [Outcome(**one) for one in found["other"]]


def _seconds(found: Mapping[str, Any]) -> str:
    times = sorted(one["seconds"] for one in found["other"])
    return f"{times[len(times) // 2]:.1f}" if times else ""


def _by_entry(outcomes: Sequence[Outcome]) -> Iterator[list[Any]]:
    """For each dtype: entries of the operator database with a judged sample, and how many are right on all of them."""
    verdicts: dict[str, dict[str, set[str]]] = {}
    for outcome in outcomes:
        match = re.fullmatch(r"(\S+) (\w+) #\d+", outcome.name)
        if match and outcome.verdict != "unjudgeable":
            verdicts.setdefault(match[2], {}).setdefault(match[1], set()).add(outcome.verdict)
    for dtype, found in verdicts.items():
        right = sum(all_of == {"right"} for all_of in found.values())
        yield [dtype, len(found), right, f"{100 * right / len(found):.1f} %"]


def _not_right(parts: Mapping[str, Any]) -> str:
    rows = [
        [part, one["name"], one["verdict"], one["reason"].replace("|", "\\|")]
        for part, data in parts.items()
        for one in data["exporters"].get(EXPORTERS[0], {"other": []})["other"]
        if one["verdict"] != "unjudgeable"
    ]
    return "What our own exporter refuses or has wrong:\n\n" + table(["part", "case", "verdict", "reason"], rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--exporter", choices=EXPORTERS, action="append")
    parser.add_argument("--opset", type=int)
    parser.add_argument("--samples", default="2", help="how many of an entry's samples, or 'all'")
    parser.add_argument("--every", type=int, default=1, help="each so many-th case alone")
    parser.add_argument("--only", help="a regular expression that a case's name should contain")
    parser.add_argument("--resume", action="store_true", help="go on where the last run was cut off")
    parser.add_argument("--output", type=Path, default=DOCS)
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    return parser


def main() -> None:
    """Run the parts that there are, and print the table."""
    options = _parser().parse_args()
    if options.worker:
        part, exporter, opset = options.worker
        work(part, exporter, int(opset) if opset else None)
        return
    sys.stdout.write(machine() + "\n\n")
    selection = Selection(None if options.samples == "all" else int(options.samples), options.every, options.only)
    options.output.mkdir(parents=True, exist_ok=True)
    journal = Journal(options.output / f"{_NAME}.journal")
    if not options.resume:
        journal.path.unlink(missing_ok=True)
    parts = _before(options.output)
    for part in options.part or [part for part in PARTS if util.find_spec(f"pytorch_cases.{part}")]:
        start = time.perf_counter()
        outcomes = list(measure(part, options.exporter or EXPORTERS, options.opset, selection, journal))
        seconds = time.perf_counter() - start
        parts[part] = {"selection": str(selection), "seconds": seconds, "exporters": kept(outcomes)}
    text = summary(parts)
    write(
        _NAME,
        shlex.join(["python", "benchmarks/coverage_pytorch.py", *sys.argv[1:]]),
        text,
        {"parts": parts},
        options.output,
    )
    journal.path.unlink(missing_ok=True)
    sys.stdout.write(text + "\n")


def _before(folder: Path) -> dict[str, Any]:
    """The parts of an earlier run."""
    path = folder / f"{_NAME}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["parts"] if path.exists() else {}
    return found


if __name__ == "__main__":
    main()
