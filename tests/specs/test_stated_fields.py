"""What a bundle states beside its graph becomes metadata, or is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assay.specs.data import UnknownNameError
from assay.specs.fields import FieldError, missing_keys, stated
from assay.specs.tasks import load_task


def test_a_field_becomes_a_metadata_key_with_a_json_value() -> None:
    metadata = stated({"preprocessing": {"layout": "NCHW", "mean": [0.5]}})
    assert metadata == {"assay.preprocessing.layout": '"NCHW"', "assay.preprocessing.mean": "[0.5]"}
    assert json.loads(metadata["assay.preprocessing.mean"]) == [0.5]


def test_an_unknown_field_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"'laiout' is no preprocessing field.*layout"):
        stated({"preprocessing": {"laiout": "NCHW"}})


@pytest.mark.parametrize(
    ("name", "value"),
    [("mean", 0.5), ("mean", ["a"]), ("layout", 3), ("layout", "CHWN"), ("rescale", True), ("resize", [8, 8])],
)
def test_a_value_of_another_kind_is_refused(name: str, value: Any) -> None:
    with pytest.raises(FieldError, match=rf"preprocessing.{name} is .*, but should be"):
        stated({"preprocessing": {name: value}})


def test_a_field_of_the_other_stage_is_refused() -> None:
    with pytest.raises(UnknownNameError):
        stated({"postprocessing": {"mean": [0.5]}})


def test_what_is_stated_is_no_longer_missing() -> None:
    task = load_task("image-classification")
    before = missing_keys(task, {})
    after = missing_keys(task, stated({"preprocessing": {"layout": "NHWC"}}))
    assert set(before) - set(after) == {"assay.preprocessing.layout"}
