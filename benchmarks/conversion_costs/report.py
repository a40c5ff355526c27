"""The tables and the plot of what conversions cost."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from machine import table

OWN, PEER = "assay.tensorflow", "tf2onnx"
PLOT = "cost_convert.svg"
_MIB = 1 << 20
Results = Mapping[str, Mapping[str, Mapping[str, Any]]]


def text(models: Results, latencies: Mapping[str, Mapping[str, Any]], growth: Mapping[int, Mapping[str, Any]]) -> str:
    """All of it as Markdown."""
    parts = [_table(models), *_ratios(models), *_large(models), _same(models), _latency(latencies), _growth(growth)]
    return "\n\n".join(part for part in parts if part)


def _table(models: Results) -> str:
    header = ["model", "exporter", "convert s", "trace s", "MiB above", "weights MiB", "nodes", "transposes", "opset"]
    rows = [_row(name, exporter, found) for name, both in models.items() for exporter, found in both.items()]
    return table(header, rows) if rows else ""


def _row(name: str, exporter: str, found: Mapping[str, Any]) -> list[Any]:
    if "failed" in found:
        return [name, exporter, f"failed: {found['failed']}".replace("|", "\\|"), *[""] * 6]
    seconds = [f"{found[key]:.2f}" for key in ("convert_s", "trace_s")]
    sizes = [f"{found[key] / _MIB:.0f}" for key in ("memory", "weights")]
    return [name, exporter, *seconds, *sizes, found["nodes"], found["transposes"], found["opset"]]


def _ratios(models: Results) -> list[str]:
    both = [(m[OWN], m[PEER]) for m in models.values() if _is_right(m, OWN) and _is_right(m, PEER)]
    lines = []
    for title, key, due in (("time", "convert_s", 8), ("memory", "memory", 10)):
        ratios = [peer[key] / max(own[key], 1e-9) for own, peer in both]
        if ratios:
            middle = statistics.median(ratios)
            lines.append(
                f"{title}, {PEER} over {OWN}: median {middle:.1f} (should be at least {due}), least {min(ratios):.1f}"
            )
    return lines


def _is_right(found: Mapping[str, Mapping[str, Any]], exporter: str) -> bool:
    return exporter in found and "failed" not in found[exporter]


def _large(models: Results) -> list[str]:
    own = {name: found[OWN] for name, found in models.items() if _is_right(found, OWN)}
    shares = {name: found["memory"] / found["weights"] for name, found in own.items() if found["weights"] > 500 * _MIB}
    listed = ", ".join(f"{name} {share:.2f}" for name, share in shares.items())
    return [f"memory over weights (should be under 1.5): {listed}"] if shares else []


def _same(models: Results) -> str:
    twice = {name: found[OWN]["same_bytes"] for name, found in models.items() if "same_bytes" in found.get(OWN, {})}
    different = [name for name, same in twice.items() if not same]
    if not twice:
        return ""
    return f"same bytes in two processes: {'all' if not different else 'not ' + ', '.join(different)} of {len(twice)}"


def _latency(latencies: Mapping[str, Mapping[str, Any]]) -> str:
    """A file is slower where nine of ten runs are slower than the other file's run beside it."""
    rows = []
    for name, found in latencies.items():
        if "failed" in found:
            rows.append([name, f"failed: {found['failed']}", "", "", "", ""])
            continue
        ratios = found["ratios"]
        low, high = ratios[len(ratios) // 10], ratios[-1 - len(ratios) // 10]
        said = "slower" if low > 1 else "faster" if high < 1 else "no difference beyond noise"
        numbers = [f"{value:.1f}" for value in found["ms"]]
        rows.append([name, *numbers, f"{statistics.median(ratios):.2f}", f"{low:.2f} to {high:.2f}", said])
    header = ["latency", f"{OWN} ms", f"{PEER} ms", "ratio", "nine tenths of pairs", ""]
    return table(header, rows) if rows else ""


def _growth(growth: Mapping[int, Mapping[str, Any]]) -> str:
    right = {nodes: found for nodes, found in growth.items() if "failed" not in found}
    wrong = "\n".join(
        f"chain of {nodes} failed: {found['failed']}" for nodes, found in growth.items() if "failed" in found
    )
    if not right:
        return wrong
    rows = [
        [nodes, found["nodes"], f"{found['convert_s']:.2f}", f"{found['convert_cpu_s']:.2f}", f"{found['trace_s']:.2f}"]
        for nodes, found in right.items()
    ]
    header = ["operations", "nodes", "convert s", "of all processors", "trace s"]
    exponent = growth_exponent(right)
    told = "" if exponent is None else f"\n\ntime grows as nodes to the power of {exponent:.2f} from 1,000 on"
    return f"{table(header, rows)}{told}\n\n![time by nodes]({PLOT})\n\n{wrong}".rstrip()


def growth_exponent(growth: Mapping[int, Mapping[str, Any]], least: int = 1000) -> float | None:
    """The slope of the logarithm of time by that of nodes (least squares); what is smaller is start-up."""
    points = [(math.log(n), math.log(found["convert_cpu_s"])) for n, found in growth.items() if n >= least]
    return statistics.linear_regression(*zip(*points, strict=True)).slope if len(points) > 1 else None


def plot(growth: Mapping[int, Mapping[str, Any]], folder: Path) -> None:
    """Seconds by nodes, on logarithmic axes, with the line of linear growth."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "cost_convert"
    from matplotlib import pyplot

    right = [(nodes, found) for nodes, found in growth.items() if "failed" not in found]
    if not right:
        return
    figure, axes = pyplot.subplots(figsize=(6, 4))
    counts: Sequence[int] = [nodes for nodes, _ in right]
    for key, label in (("convert_cpu_s", "conversion"), ("trace_s", "tracing, by TensorFlow")):
        axes.loglog(counts, [found[key] for _, found in right], marker="o", label=label)
    last, found = right[-1]
    axes.loglog(counts, [found["convert_cpu_s"] * count / last for count in counts], linestyle=":", label="linear")
    axes.set_xlabel("operations")
    axes.set_ylabel("seconds")
    axes.legend()
    figure.tight_layout()
    figure.savefig(folder / PLOT, metadata={"Date": None})
    pyplot.close(figure)
