"""``assay quantize``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from assay.cli.options import provider_option
from assay.cli.output import console, emit_json, json_option, progress
from assay.specs.interface import Interface

if TYPE_CHECKING:
    from assay.conformance.quantize import Trial

_DATA = "DATA"


@click.command()
@click.argument("bundle")
@click.option("-o", "--output", required=True, metavar="BUNDLE", help="Folder to write.")
@click.option("--method", type=click.Choice(["static-int8", "dynamic-int8"]), required=True, help="How to quantize.")
@click.option("--calibration", metavar=_DATA, help="Samples that fix the ranges of activations (static-int8).")
@click.option("--evaluation", metavar=_DATA, help="Other samples, on which the accuracy is judged.")
@click.option(
    "--metric",
    type=click.Choice(["top1", "threshold", "agreement"]),
    help="Right by labels (top1, threshold), or in agreement with the float model.",
)
@click.option("--output-name", metavar="NAME", help="Output that the metric judges; needed where there are several.")
@click.option("--axis", type=int, help="Axis of the classes; the last if not given.")
@click.option("--threshold", type=float, help="What counts as yes, for the metrics threshold and agreement.")
@click.option(
    "--max-drop", type=click.FloatRange(0, 1), default=0.01, show_default=True, help="Largest loss of the score."
)
@provider_option
@json_option
def command(
    bundle: str,
    output: str,
    method: str,
    calibration: str | None,
    evaluation: str | None,
    metric: str | None,
    output_name: str | None,
    axis: int | None,
    threshold: float | None,
    max_drop: float,
    providers: tuple[str, ...],
    json_path: str | None,
) -> None:
    """Quantize BUNDLE, and judge its accuracy against the float model.

    DATA is module:callable, which returns {"inputs": {name: array}, "labels": array}, or an .npz file with one array
    an input and, if there are any, the array labels. Without --evaluation the accuracy is not judged, and the verdict
    is inconclusive.

    \b
    Examples:
      assay quantize out/model -o out/int8 --method static-int8 --calibration train.npz \\
          --evaluation test.npz --metric top1
      assay quantize out/model -o out/int8 --method dynamic-int8 \\
          --evaluation my_package.data:test --metric agreement --output-name logits
    """
    from assay.conformance.accuracy.quantization import STATIC
    from assay.conformance.quantize import quantize
    from assay.conformance.reports import render_terminal
    from assay.converters.bundle import open_bundle

    if method == STATIC and calibration is None:
        raise click.UsageError(f"{STATIC} needs --calibration")
    interface = open_bundle(bundle).interface
    trial = _trial(interface, evaluation, metric, output_name, axis, threshold, max_drop)
    with progress(f"quantizing {bundle}"):
        written, result = quantize(bundle, output, method, calibration=calibration, trial=trial, providers=providers)
    if json_path != "-":
        console().print(f"wrote {written.path}", markup=False, soft_wrap=True)
        render_terminal(result, console())
    emit_json(result.to_json(), json_path)
    sys.exit(result.verdict.exit_status)


def _trial(
    interface: Interface,
    evaluation: str | None,
    metric: str | None,
    output_name: str | None,
    axis: int | None,
    threshold: float | None,
    max_drop: float,
) -> Trial | None:
    from assay.conformance.accuracy.metrics import Metric
    from assay.conformance.quantize import Trial

    if evaluation is None or metric is None:
        if evaluation is not None or metric is not None:
            raise click.UsageError("--evaluation and --metric need each other")
        return None
    if metric == "threshold" and threshold is None:
        raise click.UsageError("the metric threshold needs --threshold")
    name = _judged_output(interface, output_name)
    return Trial(evaluation, Metric(metric, name, axis, threshold), max_drop)  # type: ignore[arg-type]


def _judged_output(interface: Interface, name: str | None) -> str:
    names = [spec.name for spec in interface.outputs]
    if name is None and len(names) == 1:
        return names[0]
    if name not in names:
        wanted = "--output-name is needed" if name is None else f"there is no output {name!r}"
        raise click.UsageError(f"{wanted}, but should be one of {', '.join(names)}")
    return name
