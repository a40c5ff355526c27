"""The command line: one file a command, loaded only when that command is asked for."""

from __future__ import annotations

import os
import sys
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import version

import click

from assay.converters.tensorflow_banner import hide_tensorflow_banner
from assay.specs.errors import AssayError, brief

_DEBUG = "ASSAY_DEBUG"
_COMMANDS = {
    "convert": "Convert a model to an ONNX bundle that follows the profile.",
    "lint": "Check a model against the static rules of the profile.",
    "check": "Compare an ONNX model with its source, on each provider.",
    "quantize": "Quantize a bundle and judge its accuracy against the float model.",
    "bench": "Measure latency, with confidence, and the placement of nodes.",
    "compare": "Compare models or exporters side by side: parity, graph, size, latency.",
    "certify": "Convert, lint, check, quantize and time by manifest; write the certificate.",
    "verify": "Tell whether a bundle is the certified model, and who says so.",
    "rule": "Explain a rule of the profile.",
    "doctor": "Show what can be run on this machine.",
}


class _LazyGroup(click.Group):
    """A group that knows its commands' one-line help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"assay.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = get_close_matches(args[0], _COMMANDS)
            raise click.UsageError(f"{error.message} Did you mean {near[0]!r}?", ctx) if near else error from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("assay"), prog_name="assay")
def cli() -> None:
    """Convert PyTorch and TensorFlow models to ONNX, and prove that they are still the same models.

    \b
    Examples:
      assay convert my_package.models:build -o out/model --input "pixel_values=float32[batch,3,224,224]"
      assay check out/model --reference my_package.models:build
      assay certify model.assay.yaml -o out/certified

    Exit status: 0 pass, 1 fail, 2 usage or input that can't be judged, 3 inconclusive.
    """


def main() -> None:
    """Run the command line; an error becomes one sentence and exit status 2, and never a verdict."""
    hide_tensorflow_banner()
    try:
        cli()
    except AssayError as error:
        click.echo(f"assay: {error}", err=True)
        sys.exit(2)
    except Exception as error:  # a defect of ours would else end with status 1, which says that the model failed
        if os.environ.get(_DEBUG):
            raise
        click.echo(f"assay: unexpected {type(error).__name__}: {brief(error)}; {_DEBUG}=1 shows where", err=True)
        sys.exit(2)
