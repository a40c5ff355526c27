"""``python -m assay.specs.pages [FOLDER]`` writes the pages of documentation that are made from the profile's data."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from assay.specs.profile_page import profile_page
from assay.specs.rule_pages import rule_index, rule_page
from assay.specs.rules import load_rules


def pages() -> dict[str, str]:
    """The text of each page by its path within the folder of the documentation."""
    rules = load_rules()
    made = {f"rules/{code}.md": rule_page(rule) for code, rule in rules.items()}
    return {**made, "rules/README.md": rule_index(list(rules.values())), "profile.md": profile_page()}


def write_pages(folder: Path) -> None:
    """Write every page, and remove the pages of rules that are no more."""
    made = pages()
    for path, text in made.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8", newline="\n")
    for old in (folder / "rules").glob("*.md"):
        if f"rules/{old.name}" not in made:
            old.unlink()


def main(arguments: Sequence[str]) -> None:
    """Write the pages into the folder that is given, or into ``docs``."""
    write_pages(Path(arguments[0] if arguments else "docs"))


if __name__ == "__main__":
    main(sys.argv[1:])
