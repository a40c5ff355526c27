"""A converted checkpoint's weights lie in its shards, which are files of the bundle."""

from __future__ import annotations

import os
from pathlib import Path

import onnx
import onnx_ir as ir
import pytest
import torch
from checkpoints import INDEX, WEIGHTS, llama
from judging import Command, Faithful

import assay as api
from assay import AssayError, Bundle
from assay.converters.files import read_model
from assay.converters.sources import open_source


def converted(folder: Path, output: Path) -> Bundle:
    return api.convert(folder, output, task="causal-lm")


def pointed(bundle: Bundle) -> dict[str, ir.ExternalTensor]:
    values = read_model(bundle.model).graph.initializers.items()
    return {name: value.const_value for name, value in values if isinstance(value.const_value, ir.ExternalTensor)}


@pytest.fixture(scope="module")
def tied(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Bundle]:
    """Two shards; large enough for its matrices to be left as they are."""
    folder = tmp_path_factory.mktemp("tied")
    llama(folder / "llama", "400KB", hidden_size=128, intermediate_size=160, tie_word_embeddings=True)
    return folder / "llama", converted(folder / "llama", folder / "bundle")


def test_shards_are_files_of_the_bundle_and_have_one_name(tied: tuple[Path, Bundle]) -> None:
    folder, bundle = tied
    shards = sorted(file.name for file in folder.glob("*.safetensors"))
    assert len(shards) > 1
    assert sorted(file.name for file in bundle.files) == sorted([*shards, "interface.json", "model.onnx"])
    for name in shards:
        assert (bundle.path / name).read_bytes() == (folder / name).read_bytes()
        assert os.stat(bundle.path / name).st_nlink == 1
    onnx.load(bundle.model)


def test_initializers_keep_the_names_and_the_values_of_parameters(tied: tuple[Path, Bundle]) -> None:
    folder, bundle = tied
    parameters = dict(open_source(folder).module.named_parameters())  # type: ignore[attr-defined]
    tensors = pointed(bundle)
    assert tensors.keys() == parameters.keys()
    for name, tensor in tensors.items():
        assert torch.equal(torch.from_numpy(tensor.numpy().copy()), parameters[name])


def test_tied_weights_are_one_initializer(tied: tuple[Path, Bundle]) -> None:
    graph = read_model(tied[1].model).graph
    embedding = graph.initializers["model.embed_tokens.weight"]
    assert {node.op_type for node, _ in embedding.uses()} == {"Gather", "Transpose"}


def test_lint_passes(tied: tuple[Path, Bundle]) -> None:
    findings = api.lint(tied[1])
    assert [finding for finding in findings if finding.severity in ("error", "warning")] == []


def test_the_bundle_is_replaced_and_has_the_same_bytes(tied: tuple[Path, Bundle], tmp_path: Path) -> None:
    folder, bundle = tied
    first = converted(folder, tmp_path / "bundle").model.read_bytes()
    assert converted(folder, tmp_path / "bundle").model.read_bytes() == first == bundle.model.read_bytes()


def test_shards_of_somebody_else_are_not_overwritten(tied: tuple[Path, Bundle], tmp_path: Path) -> None:
    bundle = converted(tied[0], tmp_path / "bundle")
    (bundle.path / "own.safetensors").write_bytes(b"years of training")
    with pytest.raises(AssayError, match=r"holds own\.safetensors, which is no part of a bundle"):
        converted(tied[0], tmp_path / "bundle")


def test_a_small_checkpoint_passes_parity(tmp_path: Path, faithful: Faithful) -> None:
    folder = llama(tmp_path / "llama", "100KB")
    assert (folder / INDEX).is_file()
    faithful(folder, task="causal-lm")


def test_the_command_takes_a_folder(assay: Command, tmp_path: Path) -> None:
    folder = llama(tmp_path / "llama")
    ran = assay("convert", folder, "-o", tmp_path / "bundle", "--task", "causal-lm")
    assert (ran.status, (tmp_path / "bundle" / WEIGHTS).is_file()) == (0, True)
