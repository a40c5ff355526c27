"""``assay check``."""

from __future__ import annotations

import sys
from pathlib import Path

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
@click.option(
    "--repro",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the minimal case of a failure, with a script and the text of an issue, to DIR.",
)
@click.option(
    "--repair",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="Mend a model that fails, and write it to OUT if it then passes the whole check: an .onnx file or a bundle.",
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
    repro: Path | None,
    repair: Path | None,
    trust_source: bool,
    json_path: str | None,
) -> None:
    """Compare MODEL (a .onnx file or a bundle) with its source, on each provider.

    The tolerance is the source's own rounding error: a model passes within 8 times of it, and fails beyond 20 times.

    Of a model that fails, the first node that differs and the defect by name are reported. The exit status is that of
    MODEL, whether or not --repair mends it.

    \b
    Examples:
      assay check out/model --reference shop.models:build
      assay check model.onnx --reference saved_model/ --provider cpu --provider cuda --json result.json
      assay check model.onnx --reference shop.models:build --repro case/ --repair mended.onnx
    """
    from assay.conformance.parity import check
    from assay.conformance.parity.follow_up import outcome_sentences
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
            repro=repro,
            repair=repair,
        )
    if json_path != "-":
        render_terminal(result, console())
        for sentence in (sentence for check_result in result.checks for sentence in outcome_sentences(check_result)):
            console().print(sentence)
    emit_json(result.to_json(), json_path)
    sys.exit(result.verdict.exit_status)
