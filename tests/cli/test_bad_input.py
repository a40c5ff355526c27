"""Input that can't be judged ends in one clear sentence and exit status 2; nothing is written."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest
from judging import Command, Ran
from onnx import parser

from assay.cli import main

X = ("--input", "x=float32[batch,6]")
FACTORIES = """
import torch

def raises():
    raise RuntimeError("the checkpoint is missing\\nask its author")

def exits():
    raise SystemExit(3)

def seven():
    return 7

def linear():
    return torch.nn.Linear(6, 3)

def wants_an_argument(path):
    return path
"""
RELU = '<ir_version: 8, opset_import: ["" : 17]> g (float[batch,6] x) => (float[batch,6] y) { y = Relu(x) }'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of things that are no model, and of one ``good.onnx`` that is; nobody writes to it."""
    tmp_path = tmp_path_factory.mktemp("bad")
    whole = parser.parse_model(RELU).SerializeToString()
    (tmp_path / "good.onnx").write_bytes(whole)
    (tmp_path / "truncated.onnx").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "head.onnx").write_bytes(whole[:2])
    (tmp_path / "empty.onnx").touch()
    (tmp_path / "text.onnx").write_text("this is no model\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "pickle.pt").write_bytes(pickle.dumps({"weights": [1.0]}))
    (tmp_path / "broken.pt2").write_bytes(b"PK\x03\x04 and no more")
    (tmp_path / "broken.pb").write_bytes(b"\x0a\xff\xff\x00 and no more")
    (tmp_path / "broken.h5").write_bytes(b"\x89HDF\r\n\x1a\n and no more")
    (tmp_path / "factories.py").write_text(FACTORIES)
    (tmp_path / "no_syntax.py").write_text("def (:\n")
    (tmp_path / "needs_more.py").write_text("import a_package_that_nobody_has\n")
    return tmp_path


SOURCES = {
    "truncated.onnx": "truncated",
    "head.onnx": "no ONNX model",
    "empty.onnx": "is empty",
    "text.onnx": "no ONNX model",
    "folder": "neither a saved_model.pb, nor a model.onnx, nor a config.json",
    "missing.onnx": "does not exist",
    "pickle.pt": "--trust-source",
    "broken.pt2": "",
    "broken.pb": "",
    "broken.h5": "",
    "no_such_module:build": "No module named 'no_such_module'",
    "no_such_package.models:build": "No module named 'no_such_package'",
    "no_syntax:build": "SyntaxError",
    "needs_more:build": "a_package_that_nobody_has",
    "factories:no_such": "has no 'no_such'",
    "factories:raises": "RuntimeError: the checkpoint is missing",
    "factories:exits": "SystemExit",
    "factories:seven": "builtins.int",
    "factories:wants_an_argument": "missing 1 required positional argument",
    "": "",
    ":": "",
}


@pytest.mark.parametrize(("source", "says"), SOURCES.items(), ids=SOURCES)
@pytest.mark.parametrize("command", ["convert", "check"])
def test_a_bad_source_is_one_sentence(command: str, source: str, says: str, folder: Path, here: Command) -> None:
    arguments = {"convert": (source, "-o", "out", *X), "check": ("good.onnx", "--reference", source, *X)}[command]
    assert refused(here, folder, command, *arguments, says=says).count(source) > 0


@pytest.mark.parametrize("model", ["truncated.onnx", "empty.onnx", "text.onnx", "folder", "missing.onnx", "pickle.pt"])
def test_a_bad_model_is_one_sentence(model: str, folder: Path, here: Command) -> None:
    assert model in refused(here, folder, "check", model, "--reference", "good.onnx")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """The command line in this process, where the frameworks are loaded once; all that reaches descriptors counts."""

    def run(*arguments: str, cwd: Path) -> Ran:
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["assay", *arguments])
        monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        return Ran(int(str(stop.value.code)), *capfd.readouterr())

    return run


def refused(run: Command, folder: Path, *arguments: str, says: str = "") -> str:
    """The one sentence with which the command ends at status 2, having written nothing."""
    before = contents(folder)
    ran = run(*arguments, cwd=folder)
    assert "Traceback" not in ran.stderr
    assert (ran.status, ran.stdout) == (2, "")
    (sentence,) = ran.stderr.splitlines()
    assert says in sentence
    assert contents(folder) == before
    return sentence


def contents(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}


OPTIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "a dtype that is none": (("--input", "x=float33[2]"), "has the dtype 'float33'"),
    "a specification without a name": (("--input", "float32[2]"), "has no name"),
    "a dimension that is none": (("--input", "x=float32[-1,6]"), "has the dimension '-1'"),
    "an unclosed bracket": (("--input", "x=float32[2"), "is no specification"),
    "a range upside down": (("--input", "x=float32[2] in 1..0"), "should not exceed"),
    "an input that the source lacks": (("--input", "z=float32[2]"), "has no input named z, but has x"),
}
CASES = pytest.mark.parametrize(("options", "says"), OPTIONS.values(), ids=OPTIONS)


@CASES
@pytest.mark.parametrize("command", ["convert", "check"])
def test_a_bad_input_specification_is_one_sentence(
    command: str, options: tuple[str, ...], says: str, folder: Path, here: Command
) -> None:
    arguments = {"convert": ("good.onnx", "-o", "out"), "check": ("good.onnx", "--reference", "good.onnx")}[command]
    refused(here, folder, command, *arguments, *options, says=says)


BAD_WORDS: dict[str, tuple[tuple[str, ...], str]] = {
    "an unknown provider": (("check", "good.onnx", "--reference", "good.onnx", "--provider", "abacus"), "'abacus'"),
    "an unknown task": (("convert", "good.onnx", "-o", "out", "--task", "divination"), "'divination'"),
    "an unknown exporter": (("convert", "good.onnx", "-o", "out", "--exporter", "magic"), "'magic'"),
    "another framework's exporter": (("convert", "good.onnx", "-o", "out", "--exporter", "torch.onnx"), "onnx model"),
    "an opset that is none": (("convert", "good.onnx", "-o", "out", "--opset", "99"), "99"),
    "an output that is no bundle": (("convert", "good.onnx", "-o", "."), "is not overwritten"),
    "an output that is a file": (("convert", "good.onnx", "-o", "text.onnx"), "is not overwritten"),
    "an output under a file": (("convert", "good.onnx", "-o", "text.onnx/out"), "can't be written"),
    "JSON under a folder that is not there": (
        ("check", "good.onnx", "--reference", "good.onnx", "--json", "no/where.json"),
        "can't be written",
    ),
    "too many output names": (
        ("convert", "good.onnx", "-o", "out", "--output-name", "a", "--output-name", "b"),
        "gives 1 outputs, but 2 names",
    ),
}


@pytest.mark.parametrize(("arguments", "says"), BAD_WORDS.values(), ids=BAD_WORDS)
def test_a_bad_word_is_one_sentence(arguments: tuple[str, ...], says: str, folder: Path, here: Command) -> None:
    refused(here, folder, *arguments, says=says)


@pytest.mark.parametrize(
    "arguments", [("convert",), ("check", "good.onnx"), ("no-such-command",), ("check", "--no-such")]
)
def test_bad_usage_is_status_2(arguments: tuple[str, ...], folder: Path, here: Command) -> None:
    ran = here(*arguments, cwd=folder)
    assert (ran.status, ran.stdout) == (2, "")
    assert ran.stderr.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "good.onnx", "--reference", "factories:raises", *X),
        ("convert", "broken.pb", "-o", "out"),
        ("check", "good.onnx", "--reference", "good.onnx", "--provider", "abacus"),
    ],
    ids=["PyTorch", "TensorFlow", "neither"],
)
def test_a_process_of_its_own_is_as_terse_whatever_it_loads(
    arguments: tuple[str, ...], folder: Path, assay: Command
) -> None:
    refused(assay, folder, *arguments)
