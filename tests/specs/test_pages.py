"""The pages of documentation that are made from the data are up to date; ``python -m assay.specs.pages`` makes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.specs.pages import main, pages
from assay.specs.rule_pages import FAMILIES, cell
from assay.specs.rules import load_rules
from assay.specs.tasks import task_names

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = pages()


@pytest.mark.parametrize("path", PAGES)
def test_the_page_is_up_to_date(path: str) -> None:
    assert (DOCS / path).read_text(encoding="utf-8") == PAGES[path], "run python -m assay.specs.pages"


def test_no_page_is_left_of_a_rule_that_is_no_more() -> None:
    assert {f"rules/{path.name}" for path in (DOCS / "rules").iterdir()} == set(PAGES) - {"profile.md"}


def test_the_index_links_every_rule_and_the_overview_every_task() -> None:
    assert all(f"[{code}]({code}.md)" in PAGES["rules/README.md"] for code in load_rules())
    assert all(f"\n### {name}\n" in PAGES["profile.md"] for name in task_names())
    assert {rule.family for rule in load_rules().values()} <= set(FAMILIES)


def test_pages_are_written_and_old_ones_removed(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "XX001.md").write_text("old")
    main([str(tmp_path)])
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.md")} == set(PAGES)


def test_a_cell_keeps_its_table_whole() -> None:
    assert cell("a | b\n  c") == "a \\| b c"
