"""An ``ExportedProgram``, live or from a ``.pt2`` file: its shapes and axes are its own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from judging import Faithful, described
from torch_models import Encoder, Noisy

from assay import AssayError
from assay.converters.sources import open_source

ROW = "float32[batch,3]"


@pytest.fixture
def program() -> torch.export.ExportedProgram:
    shapes = {"x": {0: torch.export.Dim("rows", max=64)}}
    return torch.export.export(Encoder().eval(), (torch.zeros(2, 6),), dynamic_shapes=shapes)


def test_a_live_program_says_its_own_interface(program: torch.export.ExportedProgram, faithful: Faithful) -> None:
    bundle = faithful(program)
    assert described(bundle)[0] == {"x": "float32[batch<=64,6]"}
    assert described(bundle)[1] == {"left": ROW, "right": ROW}


def test_a_file_is_the_same_source_whatever_its_name(
    program: torch.export.ExportedProgram, tmp_path: Path, faithful: Faithful
) -> None:
    torch.export.save(program, tmp_path / "model.pt2")
    (tmp_path / "model.pt2").rename(tmp_path / "renamed")
    assert described(faithful(tmp_path / "renamed"))[0] == {"x": "float32[batch<=64,6]"}


def test_arguments_come_by_position_and_by_name_as_they_were_exported(faithful: Faithful) -> None:
    class Sum(torch.nn.Module):
        def forward(self, x: torch.Tensor, *, y: torch.Tensor) -> torch.Tensor:
            return x + 2 * y

    program = torch.export.export(Sum(), (torch.zeros(2, 3),), {"y": torch.zeros(2, 3)})
    assert list(described(faithful(program))[0]) == ["x", "y"]


def test_a_program_exported_in_training_mode_stays_in_it() -> None:
    program = torch.export.export(Noisy().train(), (torch.zeros(4, 6),))
    source = open_source(program)
    assert not any(module.training for module in source.module.modules())  # type: ignore[attr-defined]


def test_a_broken_archive_is_refused(program: torch.export.ExportedProgram, tmp_path: Path) -> None:
    torch.export.save(program, tmp_path / "model.pt2")
    whole = (tmp_path / "model.pt2").read_bytes()
    (tmp_path / "cut.pt2").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AssayError, match=r"cut\.pt2 "):
        open_source(tmp_path / "cut.pt2")
