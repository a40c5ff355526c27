"""The folder of reports, and what importing the renderers costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import assay
from assay.conformance.reports import write_reports
from assay.conformance.reports.folder import file_stems
from assay.conformance.result import Result
from assay.converters.files import UnwritableError


def test_every_report_and_every_result_is_written(passing: Result, failing: Result, tmp_path: Path) -> None:
    write_reports([("digits", passing), ("broken", failing)], tmp_path / "new" / "reports")
    names = {path.name for path in (tmp_path / "new" / "reports").iterdir()}
    assert names == {"report.html", "summary.md", "junit.xml", "digits.result.json", "broken.result.json"}
    text = (tmp_path / "new" / "reports" / "digits.result.json").read_text(encoding="utf-8")
    assert Result.from_json(text) == passing


def test_no_name_leaves_the_folder(empty: Result, tmp_path: Path) -> None:
    write_reports([("../../up", empty), ("/etc/x", empty), ("..", empty), ("", empty)], tmp_path / "reports")
    assert [path.name for path in tmp_path.iterdir()] == ["reports"]
    assert len(list((tmp_path / "reports").glob("*.result.json"))) == 4


def test_equal_names_do_not_overwrite_each_other() -> None:
    assert file_stems(["a/b", "a b", "A-B", "a-b-2"]) == ["a-b", "a-b-2", "A-B-3", "a-b-2-2"]


def test_a_file_in_the_way_is_named(empty: Result, tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file", encoding="utf-8")
    with pytest.raises(UnwritableError, match="reports can't be written"):
        write_reports([("nothing", empty)], tmp_path / "reports")


def test_importing_the_renderers_loads_no_plotting() -> None:
    root = Path(assay.__file__).parents[1]
    code = "import sys, assay.conformance.reports; print(sorted({'matplotlib', 'jinja2', 'rich'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
