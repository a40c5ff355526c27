"""A bundle is written whole or not at all, and never over something else."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnx_ir as ir
import pytest
from onnx import parser

from assay import AssayError
from assay.converters import bundle as bundles
from assay.converters.bundle import open_bundle, save_model, write_bundle
from assay.specs.interface import Interface, parse_spec

TEXT = '<ir_version: 8, opset_import: ["" : 17]> g (float[n,2] x) => (float[n,2] y) { y = Relu(x) }'
OTHER = TEXT.replace("Relu", "Tanh")
INTERFACE = Interface((parse_spec("x", "float32[n,2]"),), (parse_spec("y", "float32[n,2]"),))


def model(text: str = TEXT) -> ir.Model:
    return ir.from_proto(parser.parse_model(text))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def full_disk(*_arguments: Any, **_options: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_bundle_is_opened_as_it_was_written(tmp_path: Path) -> None:
    written = write_bundle(model(), INTERFACE, tmp_path / "deep" / "bundle")
    assert open_bundle(tmp_path / "deep" / "bundle") == written
    assert [file.name for file in written.files] == ["interface.json", "model.onnx"]
    assert os.fspath(written) == str(tmp_path / "deep" / "bundle")


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (write_bundle(model(), INTERFACE, tmp_path / name) for name in ("a", "b"))
    assert contents(first.path) == contents(second.path)


def test_a_certificate_is_no_file_that_it_binds(tmp_path: Path) -> None:
    written = write_bundle(model(), INTERFACE, tmp_path / "bundle")
    (written.path / "certificate.json").write_text("{}")
    assert [file.name for file in written.files] == ["interface.json", "model.onnx"]


def test_a_bundle_is_replaced_whole_with_all_that_lay_in_it(tmp_path: Path) -> None:
    written = write_bundle(model(), INTERFACE, tmp_path / "bundle")
    (written.path / "certificate.json").write_text("{}")
    fresh = write_bundle(model(OTHER), INTERFACE, tmp_path / "bundle")
    assert sorted(contents(fresh.path)) == ["interface.json", "model.onnx"]
    assert b"Tanh" in fresh.model.read_bytes()
    assert os.listdir(tmp_path) == ["bundle"]


@pytest.mark.parametrize("step", ["save_model", "interface_text"])
@pytest.mark.parametrize("existing", [False, True])
def test_a_full_disk_leaves_what_was_there(
    step: str, existing: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if existing:
        write_bundle(model(), INTERFACE, tmp_path / "bundle")
    before = contents(tmp_path)
    monkeypatch.setattr(bundles, step, full_disk)
    with pytest.raises(AssayError, match="bundle can't be written: No space left on device"):
        write_bundle(model(OTHER), INTERFACE, tmp_path / "bundle")
    assert contents(tmp_path) == before
    assert os.listdir(tmp_path) == (["bundle"] if existing else [])


def test_a_rename_that_fails_puts_the_old_bundle_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bundle(model(), INTERFACE, tmp_path / "bundle")
    before, rename = contents(tmp_path), Path.rename

    def failing(self: Path, target: Path) -> Path:
        if target == tmp_path / "bundle" and self.parent == tmp_path:
            full_disk()
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(AssayError, match="can't be written"):
        write_bundle(model(OTHER), INTERFACE, tmp_path / "bundle")
    assert contents(tmp_path) == before


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
import test_bundle as t
from assay.converters import bundle as bundles

def half(model, path, **_):
    path.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)

bundles.save_model = half
bundles.write_bundle(t.model(t.OTHER), t.INTERFACE, sys.argv[2])
"""


@pytest.mark.parametrize("existing", [False, True])
def test_a_writer_that_is_killed_leaves_what_was_there(existing: bool, tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    if existing:
        write_bundle(model(), INTERFACE, target)
    before = contents(target)
    arguments = [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(target)]
    assert subprocess.run(arguments, check=False).returncode == -signal.SIGKILL
    assert target.exists() == existing
    assert contents(target) == before


def test_an_empty_folder_becomes_a_bundle(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    assert write_bundle(model(), INTERFACE, tmp_path / "bundle").model.is_file()


def test_another_folder_or_file_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.tex").write_text("years of work")
    (tmp_path / "file").write_text("more of it")
    before = contents(tmp_path)
    for name in ("folder", "file"):
        with pytest.raises(AssayError, match=f"{name} can't be written: it exists and is no bundle"):
            write_bundle(model(), INTERFACE, tmp_path / name)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["model.onnx", "interface.json"])
def test_a_folder_that_lacks_a_file_is_no_bundle(name: str, tmp_path: Path) -> None:
    written = write_bundle(model(), INTERFACE, tmp_path / "bundle")
    (written.path / name).unlink()
    with pytest.raises(AssayError, match=f"is no bundle: it holds no {name}"):
        open_bundle(written.path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"inputs": 1, "outputs": [], "task": "generic"}', "\xff"])
def test_a_broken_interface_is_said_to_be_one(text: str, tmp_path: Path) -> None:
    written = write_bundle(model(), INTERFACE, tmp_path / "bundle")
    (written.path / "interface.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(AssayError, match=r"interface\.json is no interface"):
        open_bundle(written.path)


def test_many_weights_go_to_a_file_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "_INLINE_LIMIT", 100)
    weighty = model(TEXT.replace("{ y", "<float[2] w = {1,2}> { y"))
    large = ir.Value(name="w2", const_value=ir.tensor([1.0] * 100, name="w2"))
    weighty.graph.register_initializer(large)
    save_model(weighty, tmp_path / "model.onnx")
    assert (tmp_path / "model.onnx.data").stat().st_size >= 400
