"""The profile's data is whole: rules, tasks, targets, and the text that states the rules."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from assay.specs.data import PROFILE, load_yaml
from assay.specs.errors import AssayError
from assay.specs.interface import DTYPES
from assay.specs.rules import Rule, load_rules, rule
from assay.specs.targets import load_target, target_names
from assay.specs.tasks import load_task, task_names

RULES = list(load_rules().values())
TEXT = (PROFILE / "PROFILE.md").read_text(encoding="utf-8")


def test_no_code_or_name_is_used_twice() -> None:
    entries = load_yaml(PROFILE / "rules.yaml")
    for key in ("code", "name"):
        assert len({entry[key] for entry in entries}) == len(entries)


def test_the_text_states_each_rule_once_and_no_other() -> None:
    assert sorted(re.findall(r"^- \*\*(\w+)\*\* ", TEXT, re.M)) == [one.code for one in RULES]


@pytest.mark.parametrize("one", RULES, ids=lambda one: one.code)
class TestRule:
    """One entry of rules.yaml."""

    def test_its_fields_are_filled(self, one: Rule) -> None:
        assert all(getattr(one, field.name) for field in fields(one) if field.name != "references")

    def test_its_code_severity_and_level_are_known(self, one: Rule) -> None:
        assert re.fullmatch(r"(IO|SH|OP|WT|MD|QT|SE|PA|AC|LT|DT)\d{3}", one.code)
        assert one.severity in ("error", "warning", "info")
        assert one.level in ("core", "quantized", "certified", "accelerated", "portable")

    def test_it_is_one_sentence_with_must(self, one: Rule) -> None:
        assert re.search(r"\bMUST\b", one.must)
        assert one.must.endswith(".")
        assert ". " not in one.must

    def test_its_example_has_the_house_form(self, one: Rule) -> None:
        assert ", but should" in one.example

    def test_its_references_are_links(self, one: Rule) -> None:
        assert all(link.startswith("https://") for link in one.references)


def test_a_rule_is_found_by_its_code_in_any_case() -> None:
    assert rule("io001") is rule("IO001")


@pytest.mark.parametrize("ask", [lambda: rule("XX999"), lambda: load_task("telepathy"), lambda: load_target("fridge")])
def test_an_unknown_name_is_an_error_that_names_the_known_ones(ask: object) -> None:
    with pytest.raises(AssayError, match=r"is no (rule|task|target), but should be one of \w+"):
        ask()  # type: ignore[operator]


@pytest.mark.parametrize("name", task_names())
def test_a_task_has_sound_inputs_and_outputs(name: str) -> None:
    task = load_task(name)
    tensors = task.tensors
    assert task.description.endswith(".")
    assert len({tensor.name for tensor in tensors}) == len(tensors)
    assert all(set(tensor.dtypes) <= DTYPES and tensor.dtypes for tensor in tensors)
    assert name == "generic" or all(any(not t.optional for t in side) for side in (task.inputs, task.outputs))


def test_roles_map_names() -> None:
    roles = load_task("image-classification").roles(["pixel_values", "logits", "own"])
    assert roles == {"pixel_values": "pixel_values", "logits": "logits"}
    assert load_task("generic").roles() == {}


@pytest.mark.parametrize("name", target_names())
def test_a_target_limits_every_domain_it_knows_by_a_standard(name: str) -> None:
    target = load_target(name)
    assert {"ai.onnx"} <= set(target.opset) <= target.domains
    assert 7 <= target.opset["ai.onnx"] <= 28
    assert 7 <= target.ir_version <= 14
