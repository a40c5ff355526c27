"""``assay doctor``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from assay.cli.output import console, emit_json, json_option, progress

if TYPE_CHECKING:
    from rich.table import Table

    from assay.conformance.diagnosis import Diagnosis, Package

_STYLES = {"ok": "green", "missing": "dim", "untested": "yellow", "broken": "red", "usable": "green", "error": "red"}
_STYLES |= {"unusable": "red", "absent": "dim", "warning": "yellow"}


@click.command()
@json_option
def command(json_path: str | None) -> None:
    """Show what can be run on this machine: packages, extras, providers, int8 hardware, and what is wrong.

    \b
    Examples:
      assay doctor
      assay doctor --json machine.json

    Exit status: 0 Assay can work here, 1 a package that it needs is missing or broken.
    """
    from assay.conformance.diagnosis import diagnose

    with progress("looking at this machine"):
        diagnosis = diagnose()
    if json_path != "-":
        _show(diagnosis)
    emit_json(json.dumps(diagnosis.to_json(), indent=2), json_path)
    sys.exit(0 if diagnosis.is_sound else 1)


def _show(diagnosis: Diagnosis) -> None:
    out, machine = console(), diagnosis.environment
    facts = (
        ("assay", f"{machine['assay']} on Python {machine['python']}"),
        ("machine", machine["platform"]),
        ("processor", f"{machine['cpu']}, {machine['cpu_count']} CPUs"),
        ("int8", diagnosis.int8),
        ("devices", ", ".join(diagnosis.devices) or "none seen by ONNX Runtime"),
    )
    out.print(_grid((name, "", value) for name, value in facts))
    for title, packages in _sections(diagnosis.packages):
        out.print(f"\n{title}", style="bold", markup=False)
        out.print(_grid((one.name, one.state, _version(one)) for one in packages))
    out.print("\nproviders", style="bold")
    out.print(_grid((one.name, _use(one.usable, one.available), one.reason or "") for one in diagnosis.providers))
    out.print("\nproblems", style="bold")
    out.print(_grid((one.severity, "", one.sentence) for one in diagnosis.problems) if diagnosis.problems else "  none")


def _sections(packages: Sequence[Package]) -> Iterable[tuple[str, list[Package]]]:
    """The needed packages, then each extra with how to install it where it is not whole."""
    for extra in dict.fromkeys(package.extra for package in packages):
        held = [package for package in packages if package.extra == extra]
        absent = any(package.state == "missing" for package in held)
        title = "packages" if extra is None else f"extra {extra}"
        yield (f"{title}: pip install 'assay[{extra}]'" if absent and extra else title), held


def _version(package: Package) -> str:
    return package.version or f"should be {package.wanted}"


def _use(usable: bool, available: bool) -> str:
    return "usable" if usable else "unusable" if available else "absent"


def _grid(rows: Iterable[tuple[str, str, str]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2, 0, 0))
    for column in ("name", "state"):
        grid.add_column(column, no_wrap=True)
    grid.add_column("value", overflow="fold")
    for name, state, value in rows:
        label = Text(f"  {name}", style=_STYLES.get(name, ""))
        grid.add_row(label, Text(state, style=_STYLES.get(state, "")), Text(value))
    return grid
