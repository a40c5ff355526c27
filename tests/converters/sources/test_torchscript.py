"""TorchScript, scripted or traced, live or from a file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from judging import Faithful, described
from torch_models import Giving, Noisy, Scriptable

from assay import AssayError
from assay.converters.sources import open_source

X = {"x": "float32[batch,6]"}
ROW = "float32[batch,3]"


class Repeated(torch.nn.Module):
    """Takes a plain number beside a tensor."""

    def forward(self, x: torch.Tensor, times: int) -> torch.Tensor:
        return x * times


def test_a_scripted_module_keeps_its_branches(faithful: Faithful) -> None:
    bundle = faithful(torch.jit.script(Scriptable()), X)
    assert described(bundle) == (X, {"output": ROW})


def test_a_traced_module_gives_its_outputs_by_position(faithful: Faithful) -> None:
    module = torch.jit.trace(Giving(lambda y, x: (y, x)), torch.zeros(2, 6))
    assert described(faithful(module, X))[1] == {"output_0": ROW, "output_1": "float32[batch,6]"}


@pytest.mark.parametrize("name", ["model.pt", "model.jit", "model"])
def test_a_file_is_opened_by_its_bytes(name: str, tmp_path: Path, faithful: Faithful) -> None:
    torch.jit.script(Scriptable()).save(tmp_path / name)
    assert described(faithful(str(tmp_path / name), X)) == (X, {"output": ROW})


def test_a_plain_number_is_an_input_without_axes(faithful: Faithful) -> None:
    inputs = X | {"times": "int64[] in 1..5"}
    assert described(faithful(torch.jit.script(Repeated()), inputs))[0] == inputs


def test_a_script_in_training_mode_is_left_in_it(faithful: Faithful) -> None:
    module = torch.jit.script(Noisy().train())
    faithful(module, X)
    assert module.training


def test_an_archive_cut_short_is_refused(tmp_path: Path) -> None:
    torch.jit.script(Scriptable()).save(tmp_path / "model.pt")
    whole = (tmp_path / "model.pt").read_bytes()
    (tmp_path / "cut.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AssayError, match=r"cut\.pt is no source"):
        open_source(tmp_path / "cut.pt")


def test_shapes_that_nobody_says_are_asked_for(tmp_path: Path) -> None:
    from assay import convert

    with pytest.raises(AssayError, match=r'give them: --input "x=float32\[batch,...\]"'):
        convert(torch.jit.script(Scriptable()), tmp_path / "bundle")
