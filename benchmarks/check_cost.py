"""What a check of ResNet-50 costs beside the bare forward passes that it makes; and how long the quick level takes.

python benchmarks/check_cost.py            # table and JSON under docs/benchmarks/
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import resnet50
import torch
from machine import DOCS, table, write

import assay
from assay.conformance.providers.runtime import SessionKey, _session, close_sessions
from assay.conformance.providers.trial import Trial
from assay.converters.sources.torch_runner import TorchSource

_ROUNDS = 3
Feeds = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Pass:
    """A kind of forward pass: who runs, and the shape of the image."""

    runner: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock, and of all processors together, which other work on the machine disturbs less."""

    clock: float
    processor: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.clock + other.clock, self.processor + other.processor)

    def __mul__(self, factor: float) -> Cost:
        return Cost(self.clock * factor, self.processor * factor)

    def over(self, bare: Cost) -> dict[str, float]:
        """This as a multiple of bare passes."""
        return {"clock": self.clock / bare.clock, "processor": self.processor / bare.processor}


@contextmanager
def counted() -> Iterator[Counter[Pass]]:
    """Count the forward passes that are made inside: the source's, its float64 twin's, and the sessions'."""
    passes: Counter[Pass] = Counter()
    run_module, run, run_beside = TorchSource.run_module, Trial.run, Trial.run_beside

    def counting_module(self: TorchSource, module: Any, feeds: Feeds, *args: Any, **options: Any) -> Any:
        in_double = next(module.parameters()).dtype is torch.float64
        passes[Pass("source in float64" if in_double else "source in float32", feeds["image"].shape)] += 1
        return run_module(self, module, feeds, *args, **options)

    def counting_run(self: Trial, feeds: Feeds) -> Any:
        passes[Pass(_session_name(self.key), feeds["image"].shape)] += 1
        return run(self, feeds)

    def counting_beside(self: Trial, other: Trial, feeds: Feeds) -> Any:
        for key in (self.key, other.key):
            passes[Pass(_session_name(key), feeds["image"].shape)] += 1
        return run_beside(self, other, feeds)

    with (
        mock.patch.object(TorchSource, "run_module", counting_module),
        mock.patch.object(Trial, "run", counting_run),
        mock.patch.object(Trial, "run_beside", counting_beside),
    ):
        yield passes


def _session_name(key: SessionKey) -> str:
    threads = f", {key.threads} thread" if key.threads else ""
    return f"session, optimization {key.optimization}{threads}"


def time_bare(passes: Counter[Pass], model: torch.nn.Module, path: Path) -> dict[Pass, Cost]:
    """The cost of each kind of pass: the median of a few rounds, after one to warm up."""
    twin = resnet50.build().double()
    keys = {
        _session_name(key): key
        for key in (
            *(SessionKey(path, optimization=level) for level in ("all", "disable", "basic", "extended")),
            SessionKey(path, threads=1),
        )
    }
    seconds = {}
    for one in sorted(passes, key=lambda p: (p.runner, p.shape)):
        image = np.random.default_rng(0).uniform(-3, 3, one.shape).astype(np.float32)
        if one.runner in keys:
            session = _session(keys[one.runner])
            seconds[one] = _median(lambda session=session, image=image: session.run(None, {"image": image}))
            close_sessions()
        else:
            module, dtype = (twin, torch.float64) if one.runner.endswith("float64") else (model, torch.float32)
            tensor = torch.from_numpy(image).to(dtype)
            with torch.no_grad():
                seconds[one] = _median(lambda module=module, tensor=tensor: module(tensor))
    return seconds


def _median(run: Callable[[], Any]) -> Cost:
    run()
    costs = [_cost(run)[0] for _ in range(_ROUNDS)]
    return Cost(statistics.median(c.clock for c in costs), statistics.median(c.processor for c in costs))


def _cost(run: Callable[[], Any]) -> tuple[Cost, Any]:
    """What it costs this process and those that it started and ended, and what it gives."""
    clock, processor = time.perf_counter(), _processor_seconds()
    result = run()
    return Cost(time.perf_counter() - clock, _processor_seconds() - processor), result


def _processor_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def cost_of_check(path: Path, model: torch.nn.Module, level: str) -> Cost:
    """``assay.check`` of a live module; the model passes, or the benchmark is void."""
    cost, result = _cost(lambda: assay.check(path.parent, model, level=level))
    if result.verdict is not assay.Verdict.PASS:
        sys.exit(f"the healthy model is {result.verdict}, but should pass: {result.checks[0].findings}")
    return cost


def cost_of_command(path: Path, level: str) -> Cost:
    """The whole command, imports of torch and ONNX Runtime and building of the source included."""
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "assay", "check", str(path.parent), "--reference", "resnet50:build"]
    return _cost(
        lambda: subprocess.run([*command, "--level", level], check=True, capture_output=True, env=environment)
    )[0]


def measure(level: str, path: Path, model: torch.nn.Module) -> dict[str, Any]:
    """Count, then time the bare passes before and after the check, and take their mean."""
    with counted() as passes:
        cost_of_check(path, model, level)
    before = time_bare(passes, model, path)
    check, command = cost_of_check(path, model, level), cost_of_command(path, level)
    after = time_bare(passes, model, path)
    bare = {one: (before[one] + after[one]) * 0.5 for one in passes}
    total = _total(bare, passes)
    return {
        "level": level,
        "passes": [
            {"runner": one.runner, "shape": list(one.shape), "count": count, **asdict(bare[one])}
            for one, count in sorted(passes.items(), key=lambda item: (item[0].runner, item[0].shape))
        ],
        "bare": asdict(total),
        "bare_before": asdict(_total(before, passes)),
        "bare_after": asdict(_total(after, passes)),
        "check": asdict(check),
        "command": asdict(command),
        "check_over_bare": check.over(total),
        "command_over_bare": command.over(total),
    }


def _total(costs: Mapping[Pass, Cost], passes: Counter[Pass]) -> Cost:
    return sum((costs[one] * count for one, count in passes.items()), Cost(0, 0))


def report(rows: list[dict[str, Any]], megabytes: float) -> str:
    """Both tables, and what they say."""
    levels = [
        [
            row["level"],
            sum(one["count"] for one in row["passes"]),
            f"{row['bare'][kind]:.2f}",
            f"{row['check'][kind]:.2f}",
            f"**{row['check_over_bare'][kind]:.2f}**",
            f"{row['command'][kind]:.2f}",
            f"{row['command_over_bare'][kind]:.2f}",
            kind,
        ]
        for row in rows
        for kind in ("clock", "processor")
    ]
    header = ["level", "passes", "bare s", "check s", "ratio", "command s", "ratio", "seconds of the"]
    passes = [
        [row["level"], one["runner"], "x".join(map(str, one["shape"])), one["count"], f"{one['clock'] * 1000:.0f}"]
        for row in rows
        for one in row["passes"]
    ]
    return (
        f"ResNet-50, {megabytes:.0f} MB. The check is `assay.check` of a live module; the command starts Python,\n"
        "imports torch and builds the source too. Each is divided by the bare passes that the check makes, which are\n"
        "timed before and after it in the same run.\n\n"
        f"{table(header, levels)}\n\n{table(['level', 'bare pass', 'image', 'count', 'ms'], passes)}"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--level", action="append", choices=["quick", "default", "thorough"], help="may be repeated")
    parser.add_argument("--output", type=Path, default=DOCS, help="folder of the table and the JSON")
    arguments = parser.parse_args()
    levels = arguments.level or ["quick", "default"]
    model = resnet50.build()
    with tempfile.TemporaryDirectory() as folder:
        path = assay.convert(model, Path(folder) / "bundle", inputs=resnet50.INPUTS).model
        rows = [measure(level, path, model) for level in levels]
        megabytes = path.stat().st_size / 1e6
    text = report(rows, megabytes)
    sys.stdout.write(text + "\n")
    write(
        "check_cost",
        "python benchmarks/check_cost.py",
        text,
        {"megabytes": megabytes, "levels": rows},
        arguments.output,
    )


if __name__ == "__main__":
    main()
