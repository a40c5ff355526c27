"""What every command does alike: JSON to a file or to standard output, progress on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.converters.files import UnwritableError, write_text

if TYPE_CHECKING:
    from rich.console import Console


def checked_path(_context: click.Context, _option: click.Parameter, path: str | None) -> str | None:
    """Say at once, not after long work, that there is no such folder."""
    if path not in (None, "-") and not Path(path).absolute().parent.is_dir():
        raise UnwritableError(path, "its folder does not exist")
    return path


json_option = click.option(
    "--json",
    "json_path",
    metavar="FILE",
    callback=checked_path,
    help="Write the result as JSON to FILE (- for standard output).",
)


def emit_json(text: str, json_path: str | None) -> None:
    """Write the JSON text where ``--json`` asks for it."""
    if json_path == "-":
        click.echo(text)
    elif json_path is not None:
        emit_text(text + "\n", Path(json_path))


def emit_text(text: str, path: Path) -> None:
    """A device or pipe, such as ``/dev/stdout``, is written to; a file is replaced, the one that a link leads to."""
    if not (path.is_char_device() or path.is_fifo()):
        write_text(path.resolve() if path.is_symlink() else path, text)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UnwritableError(path, error.strerror or str(error)) from error


def console(stderr: bool = False) -> Console:
    """A console for people, on standard output or standard error."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


@contextmanager
def progress(label: str) -> Iterator[Callable[[str], None]]:
    """Show on a terminal that long work goes on, and what it is at; elsewhere show nothing."""
    if not sys.stderr.isatty():
        yield lambda _step: None
        return
    with console(stderr=True).status(label) as status:
        yield lambda step: status.update(f"{label}: {step}")
