"""``assay convert``."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.cli.convert_explain import explain_source
from assay.cli.options import by_name, input_option, trust_option
from assay.cli.output import console, emit_json, json_option, progress
from assay.specs.interface import TensorSpec

if TYPE_CHECKING:
    from assay.conformance.ladder import Step
    from assay.conformance.result import Finding
    from assay.converters.bundle import Bundle


class _Field(click.ParamType[tuple[str, str, Any]]):
    """``preprocessing.mean=[0.5]``: stage, field and value."""

    name = "STAGE.FIELD=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str, Any]:
        if isinstance(value, tuple):
            return value
        name, separator, text = str(value).partition("=")
        stage, _, field = name.partition(".")
        if stage not in ("preprocessing", "postprocessing") or not field or not separator:
            self.fail(f"{value!r} should be like preprocessing.layout=NCHW", param, ctx)
        try:
            return stage, field, json.loads(text)
        except ValueError:
            return stage, field, text


def _by_stage(fields: Sequence[tuple[str, str, Any]]) -> dict[str, dict[str, Any]]:
    stages: dict[str, dict[str, Any]] = {}
    for stage, field, value in fields:
        stages.setdefault(stage, {})[field] = value
    return stages


@click.command()
@click.argument("source")
@click.option("-o", "--output", metavar="BUNDLE", help="Folder to write.")
@click.option(
    "--explain", is_flag=True, help="Tell how each operator of the model would be converted, and write nothing."
)
@click.option("--task", default="generic", show_default=True, help="What the model does; fixes names and roles.")
@input_option
@click.option("--output-name", "outputs", multiple=True, help="Name of an output that has none; repeat in order.")
@click.option(
    "--field",
    "fields",
    type=_Field(),
    multiple=True,
    help="What the task wants stated, like preprocessing.mean=[0.5]; the value is JSON or plain text.",
)
@click.option("--opset", type=int, help="ONNX opset; if not given, by the target, else the exporter's own default.")
@click.option("--target", metavar="NAME", help="Write for a target, such as edge, and lint by its limits.")
@click.option(
    "--exporter",
    help="assay.pytorch, torch.onnx, torch.onnx.torchscript, assay.tensorflow, tf2onnx, torch.onnx.keras or onnx;"
    " else by the source.",
)
@click.option(
    "--ladder",
    is_flag=True,
    help="Where the default exporter refuses or its model fails the parity check, go on to the next; tells each step.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0.1),
    default=600.0,
    show_default=True,
    help="Seconds for one conversion, and for one run of a check, with --ladder.",
)
@trust_option
@json_option
def command(
    source: str,
    output: str | None,
    explain: bool,
    task: str,
    inputs: tuple[TensorSpec, ...],
    outputs: tuple[str, ...],
    fields: tuple[tuple[str, str, Any], ...],
    opset: int | None,
    target: str | None,
    exporter: str | None,
    ladder: bool,
    time_limit: float,
    trust_source: bool,
    json_path: str | None,
) -> None:
    """Convert SOURCE to an ONNX bundle, and lint it.

    SOURCE is a .onnx, .pt2, TorchScript, .keras, .h5 or .pb file, a SavedModel folder (FOLDER#SIGNATURE
    for another signature than its serving one), the folder of a transformers checkpoint, or package.module:callable.

    \b
    Examples:
      assay convert shop.models:build -o out/model --input "pixel_values=float32[batch,3,224,224] in 0..1"
      assay convert saved_model/ -o out/model --task image-classification
      assay convert model.keras -o out/model --target edge
      assay convert saved_model/ --explain

    Exit status of --explain: 0 where every operator is covered, 2 where the conversion would be refused.
    """
    if explain:
        sys.exit(explain_source(source, by_name(inputs) or None, opset, exporter, trust_source, json_path))
    if output is None:
        raise click.UsageError("there is no --output, but should be the folder to write; or ask for --explain")
    from assay.conformance.lint import lint
    from assay.conformance.result import verdict_of
    from assay.converters.convert import convert

    if ladder and exporter:
        raise click.UsageError(f"--ladder chooses the exporter, but --exporter {exporter} was given")
    if ladder and target:
        raise click.UsageError(f"--target {target} goes by one exporter, but --ladder tries several; give --opset")
    given: dict[str, Any] = {
        "task": task,
        "inputs": by_name(inputs) or None,
        "opset": opset,
        "outputs": outputs or None,
        "fields": _by_stage(fields),
    }
    steps: tuple[Step, ...] = ()
    with progress(f"converting {source}"):
        if ladder:
            bundle, steps = _climbed(source, output, trust_source, time_limit, given)
        else:
            bundle = convert(source, output, **given, exporter=exporter, target=target, trust_source=trust_source)
        findings = lint(bundle, target)
    if json_path != "-":
        _show(bundle, findings, steps)
    emit_json(_json(bundle, findings, steps), json_path)
    sys.exit(verdict_of(findings).exit_status)


def _climbed(
    source: str, output: str, trust: bool, time_limit: float, given: Mapping[str, Any]
) -> tuple[Bundle, tuple[Step, ...]]:
    """The bundle of the first exporter whose model is right, and the steps to it."""
    from assay.conformance.comparison.conversion import Order
    from assay.conformance.ladder import climb

    climbed = climb(Order(source, **given, trust=trust, time_limit=time_limit), Path(output))
    return climbed.bundle, climbed.steps


def _show(bundle: Bundle, findings: Sequence[Finding], steps: Sequence[Step]) -> None:
    from assay.conformance.lint.location import location_text

    out = console()
    for step in steps:
        out.print(str(step), markup=False, soft_wrap=True)
    out.print(f"wrote {bundle.path}", markup=False)
    for kind, specs in (("input", bundle.interface.inputs), ("output", bundle.interface.outputs)):
        for spec in specs:
            out.print(f"  {kind:6} {spec.name}: {spec}", markup=False)
    for condition in bundle.interface.conditions:
        out.print(f"  right where {condition}", markup=False)
    for finding in findings:
        where = location_text(finding.location)
        out.print(f"{finding.code} {finding.severity} {where}: {finding.message}", markup=False, soft_wrap=True)


def _json(bundle: Bundle, findings: Sequence[Finding], steps: Sequence[Step]) -> str:
    entries = [finding.model_dump() for finding in findings]
    told = {"ladder": [step.to_json() for step in steps]} if steps else {}
    content = {"bundle": str(bundle.path), "interface": bundle.interface.to_json(), "findings": entries}
    return json.dumps({**content, **told}, indent=2)
