"""``assay certify``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from assay.cli.options import trust_option
from assay.cli.output import console, emit_json, json_option, progress
from assay.specs.errors import AssayError


@click.command()
@click.argument("manifests", nargs=-1, required=True, metavar="MANIFEST...")
@click.option(
    "-o", "--output", required=True, metavar="DIR", help="Folder to write; one folder a model where there are several."
)
@click.option(
    "--key", type=click.Path(path_type=Path), metavar="PEM", help="Ed25519 private key that signs the certificates."
)
@trust_option
@json_option
def command(
    manifests: tuple[str, ...], output: str, key: Path | None, trust_source: bool, json_path: str | None
) -> None:
    """Convert, lint, compare, quantize and time by manifest, and write certificates and reports.

    Of several manifests, one whose source can't be converted does not keep the others from their verdicts; the exit
    status is then 1 where another failed, else 2.

    \b
    Examples:
      assay certify model.assay.yaml -o out/certified
      assay certify models/*.assay.yaml -o out --key release.pem
    """
    from assay.conformance.certify import certify
    from assay.conformance.manifest import load_manifest
    from assay.conformance.reports import render_summary, render_terminal, write_reports
    from assay.conformance.result import Result, Verdict, overall

    folder = Path(output)
    several = len(manifests) > 1
    names = [load_manifest(path).name for path in manifests]
    if len(set(names)) < len(names):
        raise click.UsageError(f"the manifests have the names {', '.join(names)}, but each should have its own")
    results: list[tuple[str, Result]] = []
    unjudged: list[str] = []
    for path, name in zip(manifests, names, strict=True):
        place = folder / name if several else folder
        try:
            with progress(f"certifying {name}") as tell:
                results.append((name, certify(path, place, key=key, trust_source=trust_source, tell=tell)))
        except AssayError as error:
            if not several:
                raise
            unjudged.append(f"{name} was not judged: {error}")
    for sentence in unjudged:
        click.echo(f"assay: {sentence}", err=True)
    if not results:
        sys.exit(2)
    if several:
        write_reports(results, folder)
    if json_path != "-":
        render_summary(results, console())
        if not several:
            render_terminal(results[0][1], console())
        console().print(f"report: {folder / 'report.html'}", markup=False, soft_wrap=True)
    emit_json(_json([result for _, result in results]), json_path)
    verdict = overall(result.verdict for _, result in results)
    sys.exit(2 if unjudged and verdict is not Verdict.FAIL else verdict.exit_status)


def _json(results: list[object]) -> str:
    texts = [result.to_json() for result in results]  # type: ignore[attr-defined]
    return texts[0] if len(texts) == 1 else "[" + ",\n".join(texts) + "]"
