"""The command line in this process: what a command writes, and the status it ends with."""

from __future__ import annotations

import io
import json
import sys
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from assay.cli import main


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """Standard output, read as JSON."""
        return json.loads(self.stdout)


def assay(*arguments: object) -> Outcome:
    """Run ``assay ARGUMENTS``, at a width of 80 columns."""
    out, err, status = io.StringIO(), io.StringIO(), 0
    argv = ["assay", *map(str, arguments)]
    paths = patch.object(sys, "meta_path", list(sys.meta_path))
    with ExitStack() as around:
        for context in (patch.object(sys, "argv", argv), paths, patch.dict("os.environ", COLUMNS="80")):
            around.enter_context(context)
        around.enter_context(redirect_stdout(out))
        around.enter_context(redirect_stderr(err))
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
    return Outcome(status, out.getvalue(), err.getvalue())


def refusal(*arguments: object) -> str:
    """The one sentence with which a command ends at status 2."""
    ran = assay(*arguments)
    assert (ran.status, ran.stdout) == (2, "")
    (sentence,) = ran.stderr.splitlines()
    assert sentence.startswith("assay: ")
    return sentence
