"""A checkpoint folder is the model that transformers loads from it, or is refused in one sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoints import CONFIG, INDEX, WEIGHTS, change_config, change_weights, llama
from safetensors.torch import load_file, save_file
from transformers import LlamaForCausalLM

from assay import AssayError
from assay.converters.sources import open_source
from assay.converters.sources.checkpoint import CheckpointSource

FEEDS = {"input_ids": np.arange(12).reshape(2, 6), "attention_mask": np.ones((2, 6), np.int64)}
NORM = "model.norm.weight"
Breaking = Callable[[Path], None]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return llama(tmp_path_factory.mktemp("saved") / "llama")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "llama"))


def opened(folder: Path) -> CheckpointSource:
    source = open_source(folder)
    assert isinstance(source, CheckpointSource)
    return source


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("tied", [False, True])
def test_it_gives_what_transformers_gives(dtype: str, tied: bool, tmp_path: Path) -> None:
    folder = llama(tmp_path / "llama", "40KB", dtype=dtype, tie_word_embeddings=tied)
    assert (folder / INDEX).is_file()
    due = LlamaForCausalLM.from_pretrained(folder).eval()
    with torch.no_grad():
        logits = due(**{name: torch.from_numpy(value) for name, value in FEEDS.items()}).logits
    got = opened(folder).run(FEEDS)["logits"]
    assert got.dtype.name == dtype
    np.testing.assert_array_equal(got.astype(np.float32), logits.float().numpy())


def test_its_outline_is_what_it_gives(folder: Path) -> None:
    source = opened(folder)
    outline, given = source.outline(FEEDS), source.run(FEEDS)
    assert {name: (value.shape, value.dtype) for name, value in outline.items()} == {
        name: (value.shape, value.dtype) for name, value in given.items()
    }


def test_weights_lie_where_the_file_has_them(folder: Path) -> None:
    source, content = opened(folder), (folder / WEIGHTS).read_bytes()
    for name, weight in source.module.named_parameters():
        place = source.place_of(weight)
        assert place is not None
        assert place.name == name
        assert content[place.offset : place.offset + place.length] == weight.numpy().tobytes()


def test_a_view_of_a_weight_is_not_the_weight(folder: Path) -> None:
    weight = opened(folder).module.lm_head.weight
    assert opened(folder).place_of(weight[:10]) is None
    assert opened(folder).place_of(weight.t()) is None


def test_its_twins_move_weights_and_leave_the_files(folder: Path) -> None:
    source, before = opened(folder), (folder / WEIGHTS).read_bytes()
    exact, moved = source.exact(), source.perturbed(0)
    assert exact is not None
    assert moved is not None
    given = source.run(FEEDS)["logits"]
    assert exact.run(FEEDS)["logits"].dtype == np.float64
    np.testing.assert_allclose(exact.run(FEEDS)["logits"], given, rtol=1e-3, atol=1e-5)
    assert not np.array_equal(moved.run(FEEDS)["logits"], given)
    assert (folder / WEIGHTS).read_bytes() == before


def test_its_digest_follows_weights_and_configuration(folder: Path) -> None:
    first = opened(folder).sha256()
    assert opened(folder).sha256() == first
    change_weights(folder, {NORM: torch.full((32,), 2.0)})
    second = opened(folder).sha256()
    change_config(folder, rms_norm_eps=1e-3)
    assert len({first, second, opened(folder).sha256()}) == 3


def test_tensors_saved_without_the_base_models_path_are_found(folder: Path) -> None:
    due = opened(folder).run(FEEDS)["logits"]
    change_config(folder, tie_word_embeddings=True)
    tensors = load_file(folder / WEIGHTS)
    del tensors["lm_head.weight"]
    save_file({name.removeprefix("model."): value for name, value in tensors.items()}, folder / WEIGHTS)
    assert opened(folder).run(FEEDS)["logits"].shape == due.shape


def test_a_small_tensor_of_another_dtype_is_cast(folder: Path) -> None:
    change_weights(folder, {NORM: torch.full((32,), 2.0, dtype=torch.float16)})
    source = opened(folder)
    assert source.module.model.norm.weight.dtype is torch.float32
    assert source.place_of(source.module.model.norm.weight) is None


def test_tied_weights_that_are_stored_alike_are_one(folder: Path) -> None:
    change_config(folder, tie_word_embeddings=True)
    embedding = load_file(folder / WEIGHTS)["model.embed_tokens.weight"]
    change_weights(folder, {"lm_head.weight": embedding.clone()})
    module = opened(folder).module
    assert module.lm_head.weight is module.model.embed_tokens.weight


def without(name: str) -> Breaking:
    return lambda folder: change_weights(folder, {name: None})


def having(name: str, value: torch.Tensor) -> Breaking:
    return lambda folder: change_weights(folder, {name: value})


def configured(**changes: object) -> Breaking:
    return lambda folder: change_config(folder, **changes)


def truncated(folder: Path) -> None:
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[:-1])


def broken(folder: Path) -> None:
    (folder / CONFIG).write_text("{")


def indexed(**places: str) -> Breaking:
    def change(folder: Path) -> None:
        (folder / WEIGHTS).rename(folder / "part.safetensors")
        (folder / INDEX).write_text(json.dumps({"weight_map": places}))

    return change


BROKEN: dict[str, tuple[Breaking, str]] = {
    "missing tensor": (without(NORM), f"lacks the tensor {NORM}, which LlamaForCausalLM has"),
    "missing tensors": (configured(num_hidden_layers=3), r"lacks the tensors model\.layers\.2.* and 6 more"),
    "extra tensor": (
        having("adapter", torch.ones(2)),
        "holds the tensor adapter, which LlamaForCausalLM does not have",
    ),
    "wrong shape": (having(NORM, torch.ones(31)), rf"holds {NORM} with the shape \[31\], but should with \[32\]"),
    "wrong dtype": (having(NORM, torch.ones(32, dtype=torch.int32)), f"holds {NORM} as int32, but should as float32"),
    "untrue ties": (configured(tie_word_embeddings=True), "with values that differ, but should be the same"),
    "truncated": (truncated, "is truncated: it has .* bytes, but should have"),
    "no architecture": (configured(architectures=None), "names the architectures None in its config.json"),
    "unknown architecture": (configured(architectures=["Nonsense"]), "Nonsense, which transformers does not have"),
    "own code": (configured(architectures=["A"], auto_map={"AutoModel": "a.A"}), "add --trust-source to run it"),
    "quantized": (configured(quantization_config={"bits": 4}), "holds quantized weights"),
    "endless layers": (configured(num_hidden_layers=10**9), "makes more than 1042 parameters"),
    "missing shard": (indexed(a="other.safetensors"), "lacks the shard other.safetensors"),
    "wrong shard": (indexed(a="part.safetensors"), "should hold the tensor a in part.safetensors .* but no shard does"),
    "shard elsewhere": (indexed(a="../part.safetensors"), "but should be a .safetensors file in the same folder"),
    "empty index": (indexed(), "has no weight_map"),
    "broken config": (broken, "holds no JSON where it should"),
}


@pytest.mark.parametrize(("breaking", "sentence"), BROKEN.values(), ids=BROKEN)
def test_a_broken_checkpoint_is_refused_in_one_sentence(breaking: Breaking, sentence: str, folder: Path) -> None:
    breaking(folder)
    with pytest.raises(AssayError, match=sentence) as raised:
        open_source(folder)
    assert "\n" not in str(raised.value)


def test_a_large_tensor_of_another_dtype_is_not_copied(tmp_path: Path) -> None:
    folder = llama(tmp_path / "llama", vocab_size=10_000)
    change_weights(folder, {"lm_head.weight": torch.ones(10_000, 32, dtype=torch.float64)})
    with pytest.raises(AssayError, match=r"holds lm_head\.weight as float64, but should as float32"):
        open_source(folder)
