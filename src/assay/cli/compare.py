"""``assay compare``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.options import by_name, input_option, trust_option
from assay.cli.output import checked_path, console, emit_json, emit_text, json_option, progress
from assay.specs.interface import TensorSpec

if TYPE_CHECKING:
    from assay.conformance.comparison import Comparison


@click.command()
@click.argument("models", nargs=-1, required=True)
@click.option("--reference", metavar="SOURCE", help="What the others are judged by: the first source by default.")
@click.option(
    "--exporter",
    "--exporters",
    "exporters",
    multiple=True,
    metavar="NAME",
    help="Convert each source by this one; may be repeated, and all means each that takes it.",
)
@input_option
@click.option("--task", default="generic", show_default=True, help="What the models do; fixes names and roles.")
@click.option("--opset", type=int, help="ONNX opset of conversions; each exporter's own default if not given.")
@click.option("--provider", default="cpu", show_default=True, help="Provider to run on.")
@click.option("--pairs/--no-pairs", default=None, help="Judge every two models too; by default up to four models.")
@click.option("--latency/--no-latency", default=True, help="Time the models in turns.  [default: latency]")
@click.option(
    "--samples", type=click.IntRange(min=20), default=200, show_default=True, help="Timed runs of each model."
)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Threads of one operator.")
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0.1),
    default=600.0,
    show_default=True,
    help="Seconds for one conversion or run.",
)
@trust_option
@json_option
@click.option("--html", "html_path", metavar="FILE", callback=checked_path, help="Write one HTML page to FILE.")
def command(
    models: tuple[str, ...],
    reference: str | None,
    exporters: tuple[str, ...],
    inputs: tuple[TensorSpec, ...],
    task: str,
    opset: int | None,
    provider: str,
    pairs: bool | None,
    latency: bool,
    samples: int,
    threads: int,
    time_limit: float,
    trust_source: bool,
    json_path: str | None,
    html_path: str | None,
) -> None:
    """Compare MODELS side by side: parity, graph, size, conversion, latency and lint, each against one reference.

    A model is any source, a .onnx file or a bundle. A source is converted first, each time in a process of its own,
    where time and peak of memory are measured. What can't be converted or opened is a row with its reason.

    \b
    Examples:
      assay compare shop.models:build --exporters all --input "image=float32[batch,3,224,224] in 0..1"
      assay compare shop.models:build vendor.onnx optimized.onnx --html report.html
      assay compare float.onnx fp16.onnx int8.onnx --reference float.onnx --no-latency

    Exit status: 0 all pass against the reference, 1 any fails, 3 inconclusive, 2 nothing could be compared.
    """
    from assay.conformance.comparison import compare

    with progress("comparing") as tell:
        comparison = compare(
            models,
            reference,
            exporters=tuple(_names(exporters)),
            inputs=by_name(inputs) or None,
            task=task,
            opset=opset,
            provider=provider,
            pairs=pairs,
            latency=latency,
            samples=samples,
            threads=threads,
            trust_source=trust_source,
            time_limit=time_limit,
            tell=tell,
        )
    _show(comparison, json_path, html_path)
    sys.exit(comparison.exit_status)


def _show(comparison: Comparison, json_path: str | None, html_path: str | None) -> None:
    from assay.conformance.reports.comparison_html import render_comparison_html
    from assay.conformance.reports.comparison_terminal import render_comparison

    if json_path != "-":
        render_comparison(comparison, console())
    emit_json(comparison.to_json(), json_path)
    if html_path is not None:
        emit_text(render_comparison_html(comparison), Path(html_path))


def _names(exporters: tuple[str, ...]) -> Iterator[str]:
    """Names may come with commas between them too."""
    return (name.strip() for text in exporters for name in text.split(",") if name.strip())
