"""All reports of a run in one folder."""

from __future__ import annotations

import re
from pathlib import Path

from assay.conformance.reports.html import render_html
from assay.conformance.reports.junit import render_junit
from assay.conformance.reports.markdown import render_markdown
from assay.conformance.reports.summary import Named
from assay.converters.files import UnwritableError, write_text

_FIXED_NAMES = ("report.html", "summary.md", "junit.xml")
_RESULT = ".result.json"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def write_reports(results: Named, folder: Path) -> None:
    """Write report.html, summary.md, junit.xml and one ``<name>.result.json`` a model; raises `UnwritableError`."""
    renderers = (render_html, render_markdown, render_junit)
    texts = {name: render(results) for name, render in zip(_FIXED_NAMES, renderers, strict=True)}
    stems = file_stems([name for name, _ in results])
    texts |= {f"{stem}{_RESULT}": result.file_text() for stem, (_, result) in zip(stems, results, strict=True)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableError(folder, error.strerror or str(error)) from error
    for name, text in texts.items():
        write_text(folder / name, text)


def is_report(name: str) -> bool:
    """Whether a file of this name is one that `write_reports` writes."""
    return name in _FIXED_NAMES or name.endswith(_RESULT)


def file_stems(names: list[str]) -> list[str]:
    """A file name for each model, safe on every file system; equal ones get a number."""
    taken: set[str] = set()
    stems: list[str] = []
    for name in names:
        base = _UNSAFE.sub("-", name).strip(".-")[:100] or "model"
        number, stem = 1, base
        while stem.casefold() in taken:
            number += 1
            stem = f"{base}-{number}"
        taken.add(stem.casefold())
        stems.append(stem)
    return stems
