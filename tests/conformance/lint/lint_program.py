"""Lints the models that standard input names, and tells of each how it ended, how long it took and what it opened."""

from __future__ import annotations

import contextlib
import io
import json
import re
import resource
import sys
import time
import traceback
from pathlib import Path
from typing import Any

_MEMORY = 4 << 30  # of addresses; libraries take one of them, a mapped model up to two


def _peak() -> int:
    """Bytes of this program alone; getrusage keeps the peak of the process that started it."""
    match = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(match[1]) * 1024 if match else 0


def _run(path: str) -> tuple[int, str]:
    from assay.cli import main

    sys.argv = ["assay", "lint", path]
    try:
        main()
    except SystemExit as end:
        return (end.code if isinstance(end.code, int) else 0), ""
    except BaseException:  # noqa: BLE001 - what the tests look for
        return 99, traceback.format_exc()
    return 0, ""


def _report(path: str, opened: list[Any]) -> dict[str, Any]:
    said, complained = io.StringIO(), io.StringIO()
    opened.clear()
    start = time.perf_counter()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
        status, trace = _run(path)
    seconds, files = time.perf_counter() - start, [entry for entry in opened if isinstance(entry[0], str)]
    text = {"output": said.getvalue()[:20_000], "errors": complained.getvalue()[:20_000] + trace}
    return {"status": status, "seconds": seconds, "opened": files, "peak": _peak(), **text}


def main() -> None:
    """One line of JSON for each line of input."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    opened: list[Any] = []
    sys.addaudithook(lambda event, what: opened.append([_path(what[0]), str(what[1])]) if event == "open" else None)
    for line in sys.stdin:
        report = _report(json.loads(line), opened)
        sys.__stdout__.write(json.dumps(report) + "\n")  # type: ignore[union-attr]
        sys.__stdout__.flush()  # type: ignore[union-attr]


def _path(what: object) -> str | None:
    return what if isinstance(what, str) else what.decode(errors="replace") if isinstance(what, bytes) else None


if __name__ == "__main__":
    main()
