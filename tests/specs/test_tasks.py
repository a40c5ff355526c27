"""Tasks are complete, their axes are defined, and their patterns match what exporters write."""

from __future__ import annotations

import pytest

from assay.specs.tasks import LAYER, Task, load_task, task_names

TASKS = [load_task(name) for name in task_names()]
CACHED = load_task("causal-lm-with-past")
DECODER = load_task("seq2seq-lm-decoder-with-past")


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
class TestTask:
    """One file of ``tasks/``."""

    def test_every_axis_is_used_and_every_axis_used_is_defined(self, task: Task) -> None:
        used = {axis for tensor in task.tensors for axis in tensor.axes or ()}
        assert used | {part for axis in task.axes.values() for part in axis.sum} == set(task.axes)

    def test_no_two_tensors_share_a_name(self, task: Task) -> None:
        names = [tensor.at(0) for tensor in task.tensors]
        assert len(set(names)) == len(names)
        assert all(task.tensor(name) is tensor for name, tensor in zip(names, task.tensors, strict=True))

    def test_a_choice_has_several_tensors_of_one_side_and_one_that_is_not_optional(self, task: Task) -> None:
        for side in (task.inputs, task.outputs):
            for choice in {tensor.choice for tensor in side if tensor.choice}:
                members = [tensor for tensor in side if tensor.choice == choice]
                assert len(members) > 1
                assert [tensor.optional for tensor in members].count(False) == 1

    def test_what_an_output_feeds_is_an_input_of_its_rank_and_layers(self, task: Task) -> None:
        for output in task.outputs:
            if output.feeds is not None:
                (fed,) = [tensor for tensor in task.inputs if tensor.name == output.feeds]
                assert (fed.repeated, fed.optional, fed.dtypes) == (output.repeated, output.optional, output.dtypes)
                assert (fed.axes is None) == (output.axes is None)
                assert len(fed.axes or ()) == len(output.axes or ())

    def test_ranges_and_layouts_are_sound(self, task: Task) -> None:
        for tensor in task.tensors:
            low, high = tensor.range or (0, 1)
            assert low is None or high is None or low < high
            assert all(sorted(tensor.axes_in(layout) or ()) == sorted(tensor.axes or ()) for layout in tensor.layouts)
            assert not tensor.layouts or len(tensor.axes or ()) == len(tensor.layouts[0])


@pytest.mark.parametrize(
    ("task", "name", "wanted"),
    [
        (CACHED, "past_key_values.0.key", "past_key_values.{layer}.key"),
        (CACHED, "past_key_values.31.value", "past_key_values.{layer}.value"),
        (CACHED, "present.0.key", "present.{layer}.key"),
        (CACHED, "past_conv.3", "past_conv.{layer}"),
        (DECODER, "past_key_values.0.decoder.key", "past_key_values.{layer}.decoder.key"),
        (DECODER, "past_key_values.11.encoder.value", "past_key_values.{layer}.encoder.value"),
        (DECODER, "present.5.decoder.value", "present.{layer}.decoder.value"),
        (CACHED, "logits", "logits"),
    ],
)
def test_a_pattern_matches_the_names_of_optimum(task: Task, name: str, wanted: str) -> None:
    tensor = task.tensor(name)
    assert tensor is not None
    assert tensor.name == wanted


@pytest.mark.parametrize(
    "name", ["past_key_values.key", "past_key_values.00.key", "past_key_values.x.key", "past_key_values.0.keys", LAYER]
)
def test_a_pattern_matches_no_other_name(name: str) -> None:
    assert CACHED.tensor(name) is None


def test_the_layer_of_a_name_is_read_and_written() -> None:
    tensor = CACHED.tensor("present.12.key")
    assert tensor is not None
    assert tensor.layer("present.12.key") == 12
    assert tensor.at(7) == "present.7.key"
    assert tensor.feeds == "past_key_values.{layer}.key"


def test_roles_of_repeated_tensors_follow_from_their_names() -> None:
    names = ["input_ids", "attention_mask", "past_key_values.0.key", "present.0.key", "extra"]
    assert CACHED.roles(names) == {
        "input_ids": "input_ids",
        "attention_mask": "attention_mask",
        "past_key_values.0.key": "past_key_values",
        "present.0.key": "present_key_values",
    }
    assert CACHED.roles().keys() == {tensor.name for tensor in CACHED.tensors if not tensor.repeated}


def test_axes_follow_the_layout() -> None:
    (pixels,) = load_task("image-classification").inputs
    assert pixels.axes_in("NHWC") == ("batch", "height", "width", "channels")
    assert pixels.axes_in("NCHW") == pixels.axes


def test_the_total_of_a_cache_is_past_and_new() -> None:
    assert CACHED.axes["total_sequence"].sum == ("past_sequence", "sequence")
    assert CACHED.axes["past_sequence"].minimum == 0
