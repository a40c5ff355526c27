"""``package.module:callable``: what it finds, what it calls, and what it leaves alone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.converters.sources.base import SourceError
from assay.converters.sources.import_string import call, is_import_string, resolve

MODULE = """
import functools

class Factory:
    built = "by the class"
    @staticmethod
    def build():
        return "by a static method"
    def method(self):
        return "by a method"

class Callable:
    def __call__(self):
        raise AssertionError("a model that is callable is not called")

def build():
    return "by a function"

def late():
    import its_neighbour
    return its_neighbour.VALUE

partial = functools.partial(str, "by a partial")
model = Callable()
path = "a/path.onnx"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "its_factories.py").write_text(MODULE)
    (tmp_path / "its_neighbour.py").write_text("VALUE = 'by a neighbour'\n")
    monkeypatch.delitem(sys.modules, "its_factories", raising=False)
    monkeypatch.delitem(sys.modules, "its_neighbour", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "gives"),
    [
        ("build", "by a function"),
        ("partial", "by a partial"),
        ("Factory.build", "by a static method"),
        ("Factory.built", "by the class"),
        ("path", "a/path.onnx"),
        ("late", "by a neighbour"),
    ],
)
def test_a_factory_is_called_and_a_value_is_taken(name: str, gives: str, folder: Path) -> None:
    assert call(f"its_factories:{name}", [folder]) == gives


def test_a_model_that_is_callable_is_not_called(folder: Path) -> None:
    model = call("its_factories:model", [folder])
    assert model is resolve("its_factories:model", [folder])


def test_the_search_path_is_left_as_it_was(folder: Path) -> None:
    before = list(sys.path)
    call("its_factories:build", [folder])
    with pytest.raises(SourceError):
        call("its_factories:missing", [folder])
    assert sys.path == before


def test_the_working_folder_is_searched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert call("its_factories:build") == "by a function"


@pytest.mark.parametrize("text", ["a:b", "a.b.c:d.e", "_a1:B_2"])
def test_an_import_string_is_told_by_its_form(text: str) -> None:
    assert is_import_string(text)


@pytest.mark.parametrize("text", ["", "a", ":b", "a:", "a.:b", "a:b:c", "a/b:c", "C:\\model.onnx", "1a:b", "a b:c"])
def test_other_text_is_none(text: str) -> None:
    assert not is_import_string(text)


@given(st.text(max_size=30))
def test_any_text_is_or_is_not_one(text: str) -> None:
    assert is_import_string(text) in (True, False)


@pytest.mark.parametrize(("name", "near"), [("biuld", ", but has build"), ("Factory.biuld", ", but has "), ("q", "")])
def test_a_misspelt_name_is_told_with_those_near_it(name: str, near: str, folder: Path) -> None:
    with pytest.raises(SourceError, match=f"has no '{name.rpartition('.')[2]}'{near}") as refused:
        resolve(f"its_factories:{name}", [folder])
    assert "<module" not in str(refused.value)
