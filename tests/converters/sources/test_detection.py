"""What a file is follows from its bytes."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.converters.sources.base import SourceError
from assay.converters.sources.detection import kind_of

HEADS = {
    "onnx": b"\x08\x08\x12\x05torch",
    "graph-def": b"\x0a\x8a\x01\x0a\x01x\x12\x0bPlaceholder",
    "h5": b"\x89HDF\r\n\x1a\n",
    "torch-pickle": b"\x80\x02}q\x00.",
}
ARCHIVES = {
    "exported-program": ["model/archive_format", "model/data/weights"],
    "torchscript": ["model/code/__torch__.py", "model/constants.pkl", "model/data.pkl"],
    "torch-pickle": ["model/data.pkl", "model/version"],
    "keras": ["config.json", "metadata.json", "model.weights.h5"],
}
NAMES = st.sampled_from(["model.onnx", "model.pt", "model.pb", "model.keras", "model"])


@pytest.mark.parametrize(("kind", "head"), HEADS.items(), ids=HEADS)
@pytest.mark.parametrize("name", ["model.onnx", "model.bin", "model"])
def test_a_file_goes_by_its_first_bytes(kind: str, head: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(head)
    assert kind_of(tmp_path / name) == kind


@pytest.mark.parametrize("content", [b"", b"text", b"\ntext", b"\x89PNG\r\n", b"PK\x03\x04", b"\x80"])
def test_other_bytes_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.pb").write_bytes(content)
    with pytest.raises(SourceError):
        kind_of(tmp_path / "model.pb")


@pytest.mark.parametrize(("kind", "members"), ARCHIVES.items(), ids=ARCHIVES)
def test_an_archive_goes_by_its_members(kind: str, members: list[str], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model", "w") as archive:
        for member in members:
            archive.writestr(member, "")
    assert kind_of(tmp_path / "model") == kind


@pytest.mark.parametrize(("kind", "member"), [("saved-model", "saved_model.pb"), ("bundle", "model.onnx")])
def test_a_folder_goes_by_its_files(kind: str, member: str, tmp_path: Path) -> None:
    (tmp_path / member).touch()
    assert kind_of(tmp_path) == kind


@given(content=st.binary(max_size=200), name=NAMES)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_of_a_kind_or_are_refused(content: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    try:
        kind = kind_of(tmp_path / name)
    except SourceError:
        return
    assert kind in {*HEADS, *ARCHIVES}
