"""What a graph declares is held against its task: names of the ecosystem pass, and each way to leave them is found."""

from __future__ import annotations

import pytest

from assay.specs.task_interface import Declared, Kind, Mismatch, mismatches
from assay.specs.tasks import load_task, task_names


def declared(*texts: str) -> list[Declared]:
    """``name:dtype[dim,...]``; a ``?`` is an axis without a name, and without brackets the rank is open."""
    return [_declared(text) for text in texts]


def _declared(text: str) -> Declared:
    name, _, rest = text.partition(":")
    dtype, bracket, dims = rest.rstrip("]").partition("[")
    parts = [part for part in dims.split(",") if part]
    return Declared(
        name, dtype, tuple(int(p) if p.isdigit() else None if p == "?" else p for p in parts) if bracket else None
    )


def kinds(task: str, inputs: list[Declared], outputs: list[Declared]) -> list[Kind]:
    return [mismatch.kind for mismatch in mismatches(load_task(task), inputs, outputs)]


def cache(layers: int, name: str = "past_key_values", axis: str = "past_sequence_length") -> list[Declared]:
    return declared(
        *(f"{name}.{i}.{kind}:float32[batch_size,2,{axis},64]" for i in range(layers) for kind in ("key", "value"))
    )


TOTAL = "past_sequence_length + sequence_length"
LLM_INPUTS = [
    *declared("input_ids:int64[batch_size,sequence_length]", f"attention_mask:int64[batch_size,{TOTAL}]"),
    *declared("position_ids:int64[batch_size,sequence_length]"),
    *cache(2),
]
LLM_OUTPUTS = [*declared("logits:float32[batch_size,sequence_length,32000]"), *cache(2, "present", TOTAL)]
TEXT = declared(
    "input_ids:int64[batch_size,sequence_length]",
    "attention_mask:int64[batch_size,sequence_length]",
    "token_type_ids:int64[batch_size,sequence_length]",
)
IMAGE = declared("pixel_values:float32[batch,3,height,width]")

SOUND = {
    "image-classification": (IMAGE, declared("logits:float32[batch,1000]")),
    "text-classification": (TEXT, declared("logits:float32[batch_size,2]")),
    "token-classification": (TEXT[:2], declared("logits:float32[batch_size,sequence_length,9]")),
    "question-answering": (
        TEXT,
        declared("start_logits:float32[batch_size,sequence_length]", "end_logits:float32[batch_size,sequence_length]"),
    ),
    "text-embedding": (
        TEXT[:2],
        declared(
            "token_embeddings:float32[batch_size,sequence_length,384]", "sentence_embedding:float32[batch_size,384]"
        ),
    ),
    "object-detection": (
        IMAGE,
        declared("logits:float32[batch,num_queries,92]", "pred_boxes:float32[batch,num_queries,4]"),
    ),
    "semantic-segmentation": (IMAGE, declared("logits:float32[batch,150,height,width]")),
    "image-to-image": (IMAGE, declared("reconstruction:float32[batch,3,height * 2,width * 2]")),
    "pose-estimation": (IMAGE, declared("heatmaps:float32[batch,17,height,width]")),
    "depth-estimation": (IMAGE, declared("predicted_depth:float32[batch,height,width]")),
    "image-text-embedding": (
        declared(
            "input_ids:int64[text_batch_size,sequence_length]",
            "pixel_values:float32[image_batch_size,3,224,224]",
            "attention_mask:int64[text_batch_size,sequence_length]",
        ),
        declared(
            "logits_per_image:float32[image_batch_size,text_batch_size]",
            "logits_per_text:float32[text_batch_size,image_batch_size]",
            "text_embeds:float32[text_batch_size,512]",
            "image_embeds:float32[image_batch_size,512]",
        ),
    ),
    "causal-lm-with-past": (LLM_INPUTS, LLM_OUTPUTS),
    "seq2seq-lm-decoder": (
        declared(
            "encoder_attention_mask:int64[batch_size,encoder_sequence_length]",
            "input_ids:int64[batch_size,decoder_sequence_length]",
            "encoder_hidden_states:float32[batch_size,encoder_sequence_length,512]",
        ),
        declared("logits:float32[batch_size,decoder_sequence_length,32128]"),
    ),
    "speech-recognition": (
        declared("input_values:float32[batch_size,sequence_length]"),
        declared("logits:float32[batch_size,frames,32]"),
    ),
    "speech-recognition-encoder": (
        declared("input_features:float32[batch_size,80,3000]"),
        declared("last_hidden_state:float32[batch_size,1500,384]"),
    ),
    "voice-activity": (
        declared("input:float32[batch,576]", "state:float32[2,batch,128]"),
        declared("output:float32[batch,1]", "stateN:float32[2,batch,128]"),
    ),
    "generic": (declared("anything:complex64"), []),
}


@pytest.mark.parametrize("task", SOUND)
def test_what_the_ecosystem_exports_follows_its_task(task: str) -> None:
    assert mismatches(load_task(task), *SOUND[task]) == ()


def test_an_image_in_nhwc_is_fine() -> None:
    inputs = declared("pixel_values:float32[batch,height,width,3]")
    assert kinds("image-classification", inputs, declared("logits:float32[batch,10]")) == []


@pytest.mark.parametrize(
    ("inputs", "outputs", "kind"),
    [
        (IMAGE, declared("probs:float32[batch,10]"), "missing"),
        (declared("x:float32[batch,3,8,8]", *[]), declared("logits:float32[batch,10]"), "unknown"),
        (IMAGE, declared("logits:float64[batch,10]"), "dtype"),
        (IMAGE, declared("logits:float32[batch,10,1]"), "rank"),
        (IMAGE, declared("logits:float32[1,10]"), "frozen"),
        (IMAGE, declared("logits:float32[batch,classes]"), "open"),
        (IMAGE, declared("logits:float32[batch,?]"), "open"),
        (IMAGE, declared("probabilities:float32[batch,10]", "logits:float32[batch,10]"), "order"),
    ],
    ids=["missing", "unknown", "dtype", "rank", "frozen", "named", "unnamed", "order"],
)
def test_a_model_that_leaves_image_classification(inputs: list[Declared], outputs: list[Declared], kind: Kind) -> None:
    assert kind in kinds("image-classification", inputs, outputs)


@pytest.mark.parametrize("task", [name for name in task_names() if name != "generic"])
def test_a_model_without_inputs_and_outputs_follows_no_task_but_generic(task: str) -> None:
    found = mismatches(load_task(task), [], [])
    assert {mismatch.kind for mismatch in found} == {"missing"}
    assert {mismatch.side for mismatch in found} == {"inputs", "outputs"}


def test_one_of_a_choice_is_enough_and_none_is_not() -> None:
    outputs = declared("logits:float32[batch,sequence,100]")
    embeds = declared("inputs_embeds:float32[batch,sequence,64]")
    assert kinds("causal-lm", embeds, outputs) == []
    (mismatch,) = mismatches(load_task("causal-lm"), [], outputs)
    assert "should include 'input_ids' or 'inputs_embeds' of the task causal-lm" in mismatch.sentence


class TestCache:
    """A causal-lm-with-past whose cache is broken in one way."""

    def test_a_layer_without_its_value(self) -> None:
        inputs = [one for one in LLM_INPUTS if one.name != "past_key_values.1.value"]
        found = mismatches(load_task("causal-lm-with-past"), inputs, LLM_OUTPUTS)
        assert any("layer 1 lacks 'past_key_values.1.value'" in mismatch.sentence for mismatch in found)
        assert {mismatch.kind for mismatch in found} == {"missing"}

    def test_a_layer_that_is_not_given_back(self) -> None:
        outputs = [one for one in LLM_OUTPUTS if not one.name.startswith("present.1.")]
        found = mismatches(load_task("causal-lm-with-past"), LLM_INPUTS, outputs)
        assert _named(found) == ["'present.1.key'", "'present.1.value'"]

    def test_a_layer_that_is_given_back_to_nobody(self) -> None:
        inputs = [one for one in LLM_INPUTS if not one.name.startswith("past_key_values.0.")]
        found = mismatches(load_task("causal-lm-with-past"), inputs, LLM_OUTPUTS)
        assert _named(found) == ["'past_key_values.0.key'", "'past_key_values.0.value'"]

    def test_no_layer_at_all(self) -> None:
        found = kinds("causal-lm-with-past", LLM_INPUTS[:3], LLM_OUTPUTS[:1])
        assert found == ["missing"] * 4

    def test_all_keys_before_all_values(self) -> None:
        inputs = [*LLM_INPUTS[:3], *sorted(LLM_INPUTS[3:], key=lambda one: one.name.rpartition(".")[2])]
        assert kinds("causal-lm-with-past", inputs, LLM_OUTPUTS) == ["order"]

    def test_ten_layers_come_by_number(self) -> None:
        inputs = [*LLM_INPUTS[:3], *cache(12)]
        outputs = [*LLM_OUTPUTS[:1], *cache(12, "present", TOTAL)]
        assert kinds("causal-lm-with-past", inputs, outputs) == []

    def test_a_mixed_model_has_states_in_the_layers_without_attention(self) -> None:
        inputs = [*LLM_INPUTS, *declared("past_conv.2:float32[batch_size,1024,3]")]
        outputs = [*LLM_OUTPUTS, *declared("present_conv.2:float32[batch_size,1024,3]")]
        assert kinds("causal-lm-with-past", inputs, outputs) == []

    def test_a_frozen_past(self) -> None:
        assert set(kinds("causal-lm-with-past", [*LLM_INPUTS[:3], *cache(2, axis="16")], LLM_OUTPUTS)) == {"frozen"}


def test_a_state_that_is_not_given_back() -> None:
    inputs, outputs = SOUND["voice-activity"]
    (mismatch,) = mismatches(load_task("voice-activity"), inputs, outputs[:1])
    assert mismatch.sentence == "'stateN' is missing, but should be there, as stateN feeds state"


def test_one_axis_with_two_names() -> None:
    inputs = [*TEXT[:1], *declared("attention_mask:int64[batch_size,mask_length]")]
    (mismatch,) = mismatches(load_task("text-classification"), inputs, declared("logits:float32[batch_size,2]"))
    assert mismatch.kind == "untied"
    assert mismatch.sentence == (
        "the axis sequence is named 'mask_length', but should be 'sequence_length' as in input_ids"
    )


@pytest.mark.parametrize("task", [name for name in task_names() if name != "generic"])
def test_every_sentence_has_the_house_form(task: str) -> None:
    wrong = declared("x:complex64[1,2,3,4,5,6,7]")
    for mismatch in mismatches(load_task(task), wrong, wrong):
        assert ", but should " in mismatch.sentence
        assert not mismatch.sentence.endswith(".")


def _named(found: tuple[Mismatch, ...]) -> list[str]:
    return [mismatch.sentence.split()[0] for mismatch in found if mismatch.sentence.startswith("'")]
