"""``assay lint``: the static rules on one model."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import click

from assay.cli.options import input_option
from assay.cli.output import emit_json, json_option, progress
from assay.conformance.lint import lint
from assay.conformance.lint.location import location_text
from assay.conformance.result import Finding, overall, verdict_of
from assay.specs.interface import TensorSpec

FORMS = ("text", "json", "sarif", "github", "junit")
_LINEWISE = ("text", "github")
_COLOURS = {"error": "red", "warning": "yellow", "info": "blue"}


@click.command("lint", short_help="Check a model against the static rules of the profile.")
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--target", metavar="NAME", help="Hold the model to the limits of a target, such as edge or server-cpu.")
@click.option("--level", metavar="NAME", help="Run the rules of a level of conformance, such as portable.")
@click.option("--format", "form", type=click.Choice(FORMS), default="text", show_default=True)
@click.option("--statistics", is_flag=True, help="Tell how often each rule is broken, instead of where.")
@click.option("--select", multiple=True, metavar="PREFIX", help="Run only the rules whose codes begin so (IO,SH003).")
@click.option("--ignore", multiple=True, metavar="PREFIX", help="Leave out the rules whose codes begin so.")
@click.option(
    "--fix", "mend", is_flag=True, help="Mend what can be mended without a change of meaning, and show the diff."
)
@input_option
@json_option
def command(
    models: tuple[Path, ...],
    target: str | None,
    level: str | None,
    form: str,
    statistics: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    mend: bool,
    inputs: tuple[TensorSpec, ...],
    json_path: str | None,
) -> None:
    """Check each MODEL, an .onnx file or a bundle, against the static rules of the profile.

    \b
    Examples:
      assay lint out/model
      assay lint models/*.onnx
      assay lint model.onnx --target edge --level portable
      assay lint model.onnx --select IO,SH --ignore SH001
      assay lint model.onnx --format sarif > model.sarif
      assay lint model.onnx --fix --input "audio=float32[batch,576]"

    With --fix the model is written only where both forms, before and after, gave the same outputs on every probe;
    --input says what the model takes, where it does not say so itself.

    `assay rule CODE` explains a finding. Exit status: 0 no error, 1 an error, 2 the model can't be judged.
    """
    logging.getLogger("onnx_ir").setLevel(logging.ERROR)  # what it warns of, OP006 finds
    if len(models) > 1 and (mend or json_path or form not in _LINEWISE):
        raise click.UsageError(f"several models go with --format {' or '.join(_LINEWISE)} alone: give one model")
    if mend:
        _fix(models[0], target, select, ignore, inputs, json_path)
    verdicts = []
    for model in models:
        findings = lint(model, target, select=_prefixes(select), ignore=_prefixes(ignore), level=level)
        emit_json(_json(findings, model), json_path)
        if json_path != "-":
            click.echo(_statistics(findings, model) if statistics else _FORMS[form](findings, model))
        verdicts.append(verdict_of(findings))
    click.get_current_context().exit(overall(verdicts).exit_status)


def _fix(
    model: Path,
    target: str | None,
    select: Sequence[str],
    ignore: Sequence[str],
    inputs: Sequence[TensorSpec],
    json_path: str | None,
) -> NoReturn:
    from assay.cli.lint_fix import fix, fix_json, fix_text, fix_verdict

    with progress(f"mending {model}"):
        mended = fix(model, target, _prefixes(select), _prefixes(ignore), inputs)
    emit_json(fix_json(mended), json_path)
    if json_path != "-":
        click.echo(fix_text(mended, model))
    click.get_current_context().exit(fix_verdict(mended).exit_status)


def _prefixes(given: Sequence[str]) -> tuple[str, ...]:
    """The prefixes of rule codes, several of which may stand in one option; one that no static rule has is an error."""
    from assay.conformance.lint.driver import chosen

    prefixes = tuple(part.strip().upper() for text in given for part in text.split(",") if part.strip())
    for prefix in prefixes:
        if not chosen([prefix], []):
            raise click.BadParameter(f"{prefix!r} begins no static rule's code; `assay rule` lists them")
    return prefixes


def _text(findings: Sequence[Finding], model: Path) -> str:
    lines = [_line(finding) for finding in findings]
    return "\n".join([*lines, f"{model}: {_count(findings)}"])


def _line(finding: Finding) -> str:
    severity = click.style(finding.severity, fg=_COLOURS[finding.severity])
    told = _printable(f"{location_text(finding.location)}: {finding.message}")
    return f"{click.style(finding.code, bold=True)} {severity} {told}"


def _printable(text: str) -> str:
    """Names come from the model's author: none may steer the terminal or break the line."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _count(findings: Sequence[Finding]) -> str:
    if not findings:
        return "no findings"
    severities = Counter(finding.severity for finding in findings)
    parts = [f"{severities[severity]} {severity}" for severity in ("error", "warning", "info") if severities[severity]]
    return f"{len(findings)} finding{'s' if len(findings) > 1 else ''} ({', '.join(parts)})"


def _json(findings: Sequence[Finding], model: Path) -> str:  # noqa: ARG001 - one signature for all forms
    return json.dumps([finding.model_dump(mode="json") for finding in findings], indent=2, ensure_ascii=False)


def _sarif(findings: Sequence[Finding], model: Path) -> str:
    from assay.conformance.lint.sarif import to_sarif

    return json.dumps(to_sarif(findings, model.as_posix()), indent=2, ensure_ascii=False)


def _github(findings: Sequence[Finding], model: Path) -> str:
    from assay.conformance.lint.github import to_github

    return to_github(findings, model.as_posix())


def _junit(findings: Sequence[Finding], model: Path) -> str:
    from assay.conformance.lint.junit import to_junit

    return to_junit(findings, model.as_posix())


def _statistics(findings: Sequence[Finding], model: Path) -> str:
    from assay.specs.rules import rule

    counts = Counter((finding.code, finding.severity) for finding in findings)
    lines = [f"{count:>5} {code} {severity:<7} {rule(code).name}" for (code, severity), count in counts.most_common()]
    return "\n".join([*lines, f"{model}: {_count(findings)}"])


_FORMS: dict[str, Callable[[Sequence[Finding], Path], str]] = dict(
    zip(FORMS, (_text, _json, _sarif, _github, _junit), strict=True)
)
