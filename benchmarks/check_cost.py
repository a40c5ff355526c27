"""What a check of ResNet-50 costs beside the bare forward passes that it makes; and how long the quick level takes.

python benchmarks/check_cost.py            # table and JSON under docs/benchmarks/
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
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


def time_bare(passes: Counter[Pass], model: torch.nn.Module, path: Path) -> dict[Pass, float]:
    """Seconds of each kind of pass: the median of a few rounds, after one to warm up."""
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


def _median(run: Callable[[], Any]) -> float:
    run()
    times = []
    for _ in range(_ROUNDS):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def time_check(path: Path, model: torch.nn.Module, level: str) -> float:
    """Seconds of ``assay.check`` of a live module; the model passes, or the benchmark is void."""
    begin = time.perf_counter()
    result = assay.check(path.parent, model, level=level)
    seconds = time.perf_counter() - begin
    if result.verdict is not assay.Verdict.PASS:
        sys.exit(f"the healthy model is {result.verdict}, but should pass: {result.checks[0].findings}")
    return seconds


def time_command(path: Path, level: str) -> float:
    """Seconds of the whole command, imports of torch and ONNX Runtime and building of the source included."""
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "assay", "check", str(path.parent), "--reference", "resnet50:build"]
    begin = time.perf_counter()
    subprocess.run([*command, "--level", level], check=True, capture_output=True, env=environment)
    return time.perf_counter() - begin


def measure(level: str, path: Path, model: torch.nn.Module) -> dict[str, Any]:
    """Count, then time the bare passes before and after the check, and take their mean."""
    with counted() as passes:
        time_check(path, model, level)
    before = time_bare(passes, model, path)
    check, command = time_check(path, model, level), time_command(path, level)
    after = time_bare(passes, model, path)
    bare = {one: (before[one] + after[one]) / 2 for one in passes}
    total = _total(bare, passes)
    return {
        "level": level,
        "passes": [
            {"runner": one.runner, "shape": list(one.shape), "count": count, "seconds": bare[one]}
            for one, count in sorted(passes.items(), key=lambda item: (item[0].runner, item[0].shape))
        ],
        "bare_seconds": total,
        "bare_seconds_before": _total(before, passes),
        "bare_seconds_after": _total(after, passes),
        "check_seconds": check,
        "command_seconds": command,
        "ratio": check / total,
        "command_ratio": command / total,
    }


def _total(seconds: Mapping[Pass, float], passes: Counter[Pass]) -> float:
    return sum(seconds[one] * count for one, count in passes.items())


def report(rows: list[dict[str, Any]], megabytes: float) -> str:
    """Both tables, and what the second was made from."""
    levels = [
        [
            row["level"],
            sum(one["count"] for one in row["passes"]),
            *(
                f"{row[key]:.2f}"
                for key in ("bare_seconds", "check_seconds", "ratio", "command_seconds", "command_ratio")
            ),
        ]
        for row in rows
    ]
    header = ["level", "passes", "bare s", "check s", "ratio", "command s", "ratio"]
    passes = [
        [row["level"], one["runner"], "x".join(map(str, one["shape"])), one["count"], f"{one['seconds'] * 1000:.0f}"]
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
