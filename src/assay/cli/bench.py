"""``assay bench``."""

from __future__ import annotations

import sys

import click

from assay.cli.options import by_name, input_option, provider_option
from assay.cli.output import console, emit_json, json_option, progress
from assay.specs.interface import TensorSpec


@click.command()
@click.argument("model")
@click.option("--against", multiple=True, metavar="MODEL", help="Another model with the same inputs; may be repeated.")
@provider_option
@input_option
@click.option(
    "--samples", type=click.IntRange(min=20), default=200, show_default=True, help="Timed runs of each model."
)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Threads of one operator.")
@click.option("--max-median", type=click.FloatRange(0, min_open=True), metavar="MS", help="Limit of the median.")
@click.option("--max-p95", type=click.FloatRange(0, min_open=True), metavar="MS", help="Limit of the 95th percentile.")
@json_option
def command(
    model: str,
    against: tuple[str, ...],
    providers: tuple[str, ...],
    inputs: tuple[TensorSpec, ...],
    samples: int,
    threads: int,
    max_median: float | None,
    max_p95: float | None,
    json_path: str | None,
) -> None:
    """Time MODEL (a .onnx file or a bundle), one sample at a time, with 95 % intervals and the placement of nodes.

    Models side by side run in turns, so that a slow moment of the machine hits all alike. Limits are for MODEL: it
    passes where the whole interval lies within the limit, and fails where the whole interval lies beyond it.

    \b
    Examples:
      assay bench out/model
      assay bench out/model --against out/int8 --threads 4
      assay bench model.onnx --input "pixel_values=float32[batch,3,224,224]" --max-p95 20
    """
    from assay.conformance.bench import bench
    from assay.conformance.latency.check import Timing
    from assay.conformance.reports import render_terminal

    with progress(f"timing {model}"):
        result = bench(
            model, against, providers, Timing(samples, threads, max_median, max_p95), by_name(inputs) or None
        )
    if json_path != "-":
        render_terminal(result, console())
    emit_json(result.to_json(), json_path)
    sys.exit(result.verdict.exit_status)
