"""``assay check``."""

from __future__ import annotations

import sys

import click

from assay.cli.options import by_name, input_option, level_options, provider_option, trust_option
from assay.cli.output import console, emit_json, json_option, progress
from assay.specs.interface import TensorSpec


@click.command()
@click.argument("model")
@click.option(
    "--reference", required=True, metavar="SOURCE", help="The source that the model was made from, in any form."
)
@provider_option
@input_option
@click.option(
    "--time-limit", type=click.FloatRange(min=0.1), default=600.0, show_default=True, help="Seconds for one run."
)
@level_options
@click.option(
    "--search",
    "search",
    type=click.FloatRange(min=0.0),
    default=0.0,
    metavar="SECONDS",
    help="Hunt so long for an input on which the model is wrong, where the probes find none.",
)
@trust_option
@json_option
def command(
    model: str,
    reference: str,
    providers: tuple[str, ...],
    inputs: tuple[TensorSpec, ...],
    time_limit: float,
    level: str,
    search: float,
    trust_source: bool,
    json_path: str | None,
) -> None:
    """Compare MODEL (a .onnx file or a bundle) with its source, on each provider.

    The tolerance is the source's own rounding error: a model passes within 8 times of it, and fails beyond 20 times.

    \b
    Examples:
      assay check out/model --reference shop.models:build
      assay check model.onnx --reference saved_model/ --provider cpu --provider cuda --json result.json
    """
    from assay.conformance.parity import check
    from assay.conformance.reports import render_terminal

    with progress(f"checking {model}") as tell:
        result = check(
            model,
            reference,
            providers,
            level,
            inputs=by_name(inputs) or None,
            trust_source=trust_source,
            time_limit=time_limit,
            search=search,
            tell=tell,
        )
    if json_path != "-":
        render_terminal(result, console())
    emit_json(result.to_json(), json_path)
    sys.exit(result.verdict.exit_status)
