"""Every file of the profile follows its schema, and what one names the others know."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from onnx import defs

from assay.specs.data import PROFILE, UnknownNameError, load_yaml
from assay.specs.domains import domain, load_domains
from assay.specs.fields import load_fields, missing_keys
from assay.specs.levels import level, load_levels
from assay.specs.operators import load_operator_classes, shape_operands
from assay.specs.roles import kinds_of_probes, kinds_of_values, load_roles, role
from assay.specs.rules import load_rules
from assay.specs.schemas import SchemaError, validate
from assay.specs.tasks import Task, load_task, task_names

SINGLE = ("domains", "fields", "levels", "operators", "roles", "rules")
FILES = [(kind, PROFILE / f"{kind}.yaml") for kind in SINGLE] + [
    (folder.removesuffix("s"), path) for folder in ("targets", "tasks") for path in sorted((PROFILE / folder).iterdir())
]
TASKS = [load_task(name) for name in task_names()]
TEXT = (PROFILE / "PROFILE.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("kind", "path"), FILES, ids=lambda value: value.stem if isinstance(value, Path) else value)
def test_the_file_follows_its_schema(kind: str, path: Path) -> None:
    validate(kind, load_yaml(path))


def test_the_profile_has_no_other_files() -> None:
    known = {path for _, path in FILES} | {PROFILE / name for name in ("PROFILE.md", "CHANGELOG.md")}
    assert {path for path in PROFILE.rglob("*") if path.is_file()} == known


def parts(document: Any) -> Iterator[dict[str, Any]]:
    """The first object of each kind: those in one list are alike."""
    if isinstance(document, list):
        yield from parts(document[0]) if document else ()
    elif isinstance(document, dict):
        yield document
        for value in document.values():
            yield from parts(value)


@pytest.mark.parametrize("kind", SINGLE)
def test_an_unknown_property_is_refused(kind: str) -> None:
    original = load_yaml(PROFILE / f"{kind}.yaml")
    for index in range(len(list(parts(original)))):
        document = copy.deepcopy(original)
        list(parts(document))[index]["Surprise 1"] = 1
        if document != original and not _is_example(list(parts(original))[index], kind):
            with pytest.raises(SchemaError):
                validate(kind, document)


def _is_example(part: dict[str, Any], kind: str) -> bool:
    return kind == "fields" and "name" not in part


def test_at_least_the_tasks_of_the_field_are_there() -> None:
    wanted = """image-classification object-detection semantic-segmentation image-to-image image-embedding
        text-classification token-classification question-answering text-embedding causal-lm causal-lm-with-past
        seq2seq-lm speech-recognition audio-classification audio-transcription voice-activity image-text-embedding
        recommendation tabular-classification tabular-regression time-series-forecasting anomaly-detection
        grid-forecasting pose-estimation generic"""
    assert set(wanted.split()) <= set(task_names())


def test_every_role_is_used_and_every_role_used_is_known() -> None:
    assert {tensor.role for task in TASKS for tensor in task.tensors} == set(load_roles())


@pytest.mark.parametrize("one", TASKS, ids=lambda one: one.name)
def test_a_role_stands_on_its_side(one: Task) -> None:
    for side, tensors in (("input", one.inputs), ("output", one.outputs)):
        assert all(role(tensor.role).side in (side, "both") for tensor in tensors)


def test_every_kind_of_value_and_probe_is_used_and_known() -> None:
    roles = load_roles().values()
    assert {one.values for one in roles} == set(kinds_of_values())
    assert {probe for one in roles for probe in one.probes} == set(kinds_of_probes())
    assert {probe for one in roles for probe in one.never} <= set(kinds_of_probes())
    assert all(not set(one.probes) & set(one.never) for one in roles)


def test_every_field_is_used_at_its_stages_and_every_field_used_is_known() -> None:
    used = {
        (name, stage)
        for task in TASKS
        for stage, fields in (("preprocessing", task.preprocessing), ("postprocessing", task.postprocessing))
        for name in (*fields.must, *fields.may)
    }
    assert used == {(one.name, stage) for one in load_fields().values() for stage in one.stages}


def test_what_a_task_says_of_a_field_is_a_field() -> None:
    for task in TASKS:
        stated = {
            *task.preprocessing.must,
            *task.preprocessing.may,
            *task.postprocessing.must,
            *task.postprocessing.may,
        }
        texts = [*(tensor.meaning for tensor in task.tensors), *(axis.meaning for axis in task.axes.values())]
        words = {word for text in texts for word in re.findall(r"`(\w+)`", text)}
        tensors = {tensor.name for other in TASKS for tensor in other.tensors}
        assert words <= stated | tensors | set(task.axes), (task.name, words - stated - tensors - set(task.axes))


def test_missing_fields_are_found_by_their_keys() -> None:
    task = load_task("speech-recognition")
    held = {"assay.preprocessing.sampling_rate": "16000", "assay.postprocessing.blank_token_id": "0"}
    assert missing_keys(task, held) == ("assay.postprocessing.tokenizer",)
    assert missing_keys(load_task("generic"), {}) == ()


def test_twenty_domains_use_every_task_but_generic() -> None:
    assert len(load_domains()) == 20
    assert {task for one in load_domains().values() for task in one.tasks} == set(task_names()) - {"generic"}


def test_every_rule_level_is_a_level_and_counts_for_it() -> None:
    assert {rule.level for rule in load_rules().values()} <= set(load_levels())
    for one in load_levels().values():
        assert one.name in one.includes
        assert set(one.includes) <= set(load_levels())
        assert "core" in one.includes
    assert {rule.level for rule in level("quantized").rules()} == {"core", "quantized"}


def test_the_text_names_every_level_target_and_file_kind() -> None:
    names = [*load_levels(), *(path.stem for path in (PROFILE / "targets").iterdir())]
    assert all(f"*{name}*" in TEXT or f"`{name}`" in TEXT for name in names)
    assert all(f"`{kind}.yaml`" in TEXT for kind in SINGLE)


def test_every_operator_of_a_class_is_one_of_onnx_and_in_one_class() -> None:
    listed = [operator for one in load_operator_classes().values() for operator in one.operators]
    assert len(set(listed)) == len(listed)
    assert all(defs.has(operator) for operator in listed)


def test_onnx_calls_the_class_random_not_deterministic() -> None:
    for operator in load_operator_classes()["random"].operators:
        schema: Any = defs.get_schema(operator)
        assert schema.node_determinism == defs.OpSchema.NodeDeterminism.NonDeterministic


def test_every_shape_operand_is_an_input_of_its_operator() -> None:
    for operator, operands in shape_operands().items():
        assert set(operands) <= {value.name for value in defs.get_schema(operator).inputs}, operator


@pytest.mark.parametrize("ask", [lambda: role("hero"), lambda: level("gold"), lambda: domain("astrology")])
def test_an_unknown_name_is_an_error_that_names_the_known_ones(ask: Any) -> None:
    with pytest.raises(UnknownNameError, match=r"is no (role|level|domain), but should be one of"):
        ask()
