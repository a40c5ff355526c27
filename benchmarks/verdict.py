"""Breaks and rewrites healthy models, and counts what Assay and other validators make of them.

python benchmarks/verdict.py --tools-python ENV/bin/python   # tables, plot and JSON under docs/benchmarks/
python benchmarks/verdict.py --quick                         # a sample in three minutes
python benchmarks/verdict.py --models encoder,vit --classes N,W --limit 40
python benchmarks/verdict.py --resume                        # goes on where a run was ended
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from machine import DOCS, machine, write
from verdicts import report
from verdicts.models import MODELS
from verdicts.scores import sort
from verdicts.trial import Plan, append_rows, read_rows, run_model

COMMAND = "python benchmarks/verdict.py"
_QUICK = {"models": "convnet,encoder,tabular,keras_lstm", "limit": 30, "rewrites": 12}


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="", help="names with commas between; none: all")
    parser.add_argument("--classes", default="", help="classes of mutants, as S,N,W; none: all, and the benign cases")
    parser.add_argument("--limit", type=int, help="mutants a model, evenly drawn")
    parser.add_argument("--rewrites", type=int, help="kinds of rewrites a model, evenly drawn")
    parser.add_argument("--quick", action="store_true", help="four models, thirty mutants each")
    parser.add_argument("--resume", action="store_true", help="keep the results of the work folder")
    parser.add_argument("--locate", type=int, default=12, help="mutants a model whose guilty node is asked for")
    parser.add_argument("--repair", type=int, default=12, help="kinds of mutants a model on which the repair is tried")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "assay-verdict")
    parser.add_argument("--tools-python", help="interpreter with benchmarks/verdicts/requirements.txt")
    parser.add_argument("--processes", type=int, default=2, choices=(1, 2))
    parser.add_argument("--output", type=Path, default=DOCS)
    parser.add_argument("--model", help=argparse.SUPPRESS)
    found = parser.parse_args(arguments)
    if found.quick:
        found.models = found.models or _QUICK["models"]
        found.limit, found.rewrites = found.limit or _QUICK["limit"], found.rewrites or _QUICK["rewrites"]
    return found


def plan_of(chosen: argparse.Namespace) -> Plan:
    """The plan that the command line asks for."""
    classes = tuple(part for part in chosen.classes.split(",") if part)
    return Plan(chosen.work, classes, chosen.limit, chosen.rewrites, chosen.tools_python, chosen.locate, chosen.repair)


def names_of(chosen: argparse.Namespace) -> list[str]:
    """The models asked for; ends the program where one is unknown."""
    names = [part for part in chosen.models.split(",") if part] or list(MODELS)
    unknown = sorted(set(names) - set(MODELS))
    if unknown:
        sys.exit(f"{', '.join(unknown)} is no model, but should be one of {', '.join(MODELS)}")
    return names


def results(work: Path, name: str) -> Path:
    """Where the rows of one model are."""
    return work / "results" / f"{name}.jsonl"


def run_here(chosen: argparse.Namespace) -> None:
    """One model, in this process."""
    path = results(chosen.work, chosen.model)
    path.parent.mkdir(parents=True, exist_ok=True)
    append_rows(path, run_model(chosen.model, plan_of(chosen), {row["id"] for row in read_rows(path)}))


def run_apart(name: str, arguments: list[str], work: Path) -> str | None:
    """One model in a process of its own, so that no two frameworks share one; returns what went wrong."""
    log = work / "logs" / f"{name}.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as file:
        command = [sys.executable, str(Path(__file__)), *arguments, "--model", name]
        ran = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False)
    sys.stderr.write(f"{name}: {len(read_rows(results(work, name)))} cases\n")
    return None if ran.returncode == 0 else f"{name} ended with status {ran.returncode}; see {log}"


def run_all(chosen: argparse.Namespace, arguments: list[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Every model, so many at a time."""
    names = names_of(chosen)
    if not chosen.resume:
        shutil.rmtree(chosen.work / "results", ignore_errors=True)
    with ThreadPoolExecutor(chosen.processes) as pool:
        troubles = [t for t in pool.map(lambda name: run_apart(name, arguments, chosen.work), names) if t]
    return [row for name in names for row in read_rows(results(chosen.work, name))], troubles


def seconds_of(rows: list[dict[str, Any]]) -> float:
    """Of running and judging, in all processes together."""
    return float(sum(row["assay"]["seconds"] + row["run_seconds"] for row in rows if "assay" in row))


def main() -> None:
    """Run all and print the tables."""
    arguments = sys.argv[1:]
    chosen = options(arguments)
    if chosen.model:
        run_here(chosen)
        return
    sys.stdout.write(machine() + "\n\n")
    rows, troubles = run_all(chosen, arguments)
    pile = sort(rows)
    page = report.text(pile, seconds_of(rows))
    write("verdict", " ".join([COMMAND, *_shown(chosen)]), page, report.facts(pile), chosen.output)
    report.plot(pile, chosen.output)
    sys.stdout.write(page + "\n")
    for trouble in troubles:
        sys.stdout.write(f"crashed: {trouble}\n")
    sys.exit(1 if troubles else 0)


def _shown(chosen: argparse.Namespace) -> list[str]:
    """The arguments that change the result, without paths of this machine."""
    sample = ("models", "classes", "limit", "rewrites")
    given = [["--quick"]] if chosen.quick else [[f"--{n}", str(v)] for n in sample if (v := getattr(chosen, n))]
    tools = [["--tools-python", "ENV/bin/python"]] if chosen.tools_python else []
    return [part for pair in (*given, *tools) for part in pair]


if __name__ == "__main__":
    main()
