"""Options that several commands take."""

from __future__ import annotations

from typing import Any

import click

from assay.specs.interface import TensorSpec, parse_option


class _InputSpec(click.ParamType[TensorSpec]):
    name = "NAME=DTYPE[DIMS]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> TensorSpec:  # noqa: ARG002
        return value if isinstance(value, TensorSpec) else parse_option(value)


input_option = click.option(
    "--input",
    "inputs",
    type=_InputSpec(),
    multiple=True,
    help='An input of the source, like "image=float32[batch,3,height>=32=64,width] in 0..255"; once for each input.',
)
trust_option = click.option(
    "--trust-source", is_flag=True, help="Allow a pickle, which runs its author's code when opened."
)
provider_option = click.option(
    "--provider",
    "providers",
    multiple=True,
    default=("cpu",),
    show_default=True,
    help="Provider to run on; may be repeated.",
)


def level_options(command: Any) -> Any:
    """``--level``, and ``--quick`` for its quick one."""
    levels = click.option(
        "--level",
        type=click.Choice(["quick", "default", "thorough"]),
        default="default",
        show_default=True,
        help="How much is run; the quick level proves less.",
    )
    return levels(click.option("--quick", "level", flag_value="quick", help="The same as --level quick.")(command))


def by_name(inputs: tuple[TensorSpec, ...]) -> dict[str, str | Any]:
    """The inputs given on the command line, by name."""
    return {spec.name: spec for spec in inputs}
