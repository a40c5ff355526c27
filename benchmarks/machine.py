"""The line that every benchmark prints first, and the file that it writes last."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from assay.conformance.environment import describe_environment

DOCS = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"


def machine() -> str:
    """Processor, cores, Python and the versions that count."""
    facts = describe_environment()
    packages = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
    return f"{facts['cpu']}, {facts['cpu_count']} cores; {facts['platform']}; Python {facts['python']}; {packages}"


def write(name: str, command: str, text: str, data: dict[str, Any], folder: Path = DOCS) -> None:
    """Write ``<name>.md`` (the table, with machine and command) and ``<name>.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    head = f"# Benchmark: {name}\n\nCommand: `{command}`\n\nMachine: {machine()}\n\n"
    (folder / f"{name}.md").write_text(head + text + "\n", encoding="utf-8")
    content = {"command": command, "environment": describe_environment(), **data}
    (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def table(header: list[str], rows: list[list[Any]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
