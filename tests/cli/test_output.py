"""``--json FILE``: a file is replaced whole, a pipe is written to and stays one."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from command_line import assay, refusal


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as reader:
        read = reader.submit(pipe.read_text)
        assert assay("rule", "SH002", "--json", pipe).status == 0
        assert json.loads(read.result(timeout=10))[0]["code"] == "SH002"
    assert pipe.is_fifo()


def test_a_link_stays_and_the_file_that_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to("file.json")
    assert assay("rule", "SH002", "--json", tmp_path / "link.json").status == 0
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "file.json").read_text())[0]["code"] == "SH002"


def test_a_folder_is_one_sentence(tmp_path: Path) -> None:
    assert "can't be written" in refusal("rule", "SH002", "--json", tmp_path)


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="this system has no /dev/full")
def test_a_full_device_is_one_sentence() -> None:
    assert "can't be written: No space left" in refusal("rule", "SH002", "--json", "/dev/full")
