"""Every form that a user gives ends in a source, or in one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch_models
from judging import MODELS

from assay import AssayError, convert
from assay.converters.sources import open_source

X = {"x": "float32[batch,6]"}


def test_an_opened_source_is_a_source() -> None:
    source = open_source(torch_models.encoder(), X)
    assert open_source(source) is source


def test_a_bundle_is_a_source(tmp_path: Path) -> None:
    bundle = convert(torch_models.encoder(), tmp_path / "bundle", inputs=X)
    for form in (bundle, bundle.path, str(bundle.path), bundle.model):
        assert open_source(form).kind == "onnx"


def test_an_import_string_is_called_in_its_folder() -> None:
    assert open_source("torch_models:encoder", X, folders=[MODELS]).kind == "module"


def test_a_relative_path_is_found_beside_the_manifest(tmp_path: Path) -> None:
    bundle = convert(torch_models.encoder(), tmp_path / "bundle", inputs=X)
    assert open_source("bundle", folders=[tmp_path]).sha256() == open_source(bundle).sha256()


@pytest.mark.parametrize("value", [None, 7, [1.0], object(), torch_models.Encoder])
def test_another_object_is_refused_by_its_kind(value: Any) -> None:
    with pytest.raises(AssayError, match=r"is a builtins|should be an nn\.Module"):
        open_source(value, X)


def test_the_users_word_counts_more_than_a_hint_and_a_hint_more_than_nothing() -> None:
    hint = open_source(torch_models.encoder(), {"x": "float32[rows,6] in 0..1"}).inputs
    assert str(open_source(torch_models.encoder(), hints=hint).inputs[0]) == "float32[rows,6] in 0..1"
    both = open_source(torch_models.encoder(), X, hints=hint)
    assert str(both.inputs[0]) == "float32[batch,6] in 0..1"


def test_a_hint_of_another_name_is_no_hint() -> None:
    hint = open_source(torch_models.encoder(), X).inputs
    source = open_source(torch_models.TwoInputs(), hints=hint)
    assert [spec.name for spec in source.inputs] == ["used", "unused"]
