"""Copies share no name with what they are copies of, and holes stay holes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.converters.files import copy_file


@pytest.mark.parametrize("content", [b"", b"a", os.urandom(100_000)])
@pytest.mark.parametrize("by_kernel", [True, False])
def test_a_copy_holds_the_same_bytes(
    content: bytes, by_kernel: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not by_kernel:
        monkeypatch.delattr(os, "copy_file_range", raising=False)
    (tmp_path / "a").write_bytes(content)
    copy_file(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == content
    assert not (tmp_path / "b").samefile(tmp_path / "a")


def test_a_hole_takes_no_space_in_the_copy(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as file:
        file.seek(1 << 34)
        file.write(b"end")
        file.truncate(1 << 35)
    copy_file(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").stat().st_size == 1 << 35
    assert (tmp_path / "b").stat().st_blocks * 512 < 1 << 20
    with (tmp_path / "b").open("rb") as file:
        file.seek(1 << 34)
        assert file.read(4) == b"end\0"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    with pytest.raises(FileExistsError):
        copy_file(tmp_path / "a", tmp_path / "b")
