"""Lowerings that are only met where a size is known when the model runs, numbers are complex, or matrices large."""

from __future__ import annotations

import pytest
import torch
from pytorch_cases import traps
from pytorch_cases.judging import judge

from assay.converters.exporter import ConvertError
from assay.converters.pytorch.native_exporter import export
from assay.converters.sources.base import Request
from assay.converters.sources.pytorch_module import ModuleSource


@pytest.mark.parametrize(
    "trap",
    [
        "parts of a size that is known when it runs",
        "complex numbers with an axis more",
        "a spectrum along a dynamic axis",
        "a triangular system of many rows",
    ],
)
def test_a_trap_is_right_at_every_size(trap: str) -> None:
    outcome = judge(traps.case(trap), "assay.pytorch")
    assert outcome.verdict == "right", outcome


def test_a_spectrum_along_an_axis_that_is_too_long_is_refused() -> None:
    class Spectrum(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.fft.fft(x, dim=1).real  # type: ignore[no-any-return]

    source = ModuleSource(Spectrum(), Request("spectrum", {"x": "float32[rows,5000]"}))
    with pytest.raises(ConvertError, match=r"converted: a Fourier transform is of \[5000\] elements, but should be"):
        export(source, None)
