"""What C++ code writes is kept from a descriptor for a while, and what Python writes around it is not."""

from __future__ import annotations

import os

import pytest

from assay.converters.silence import STDERR, STDOUT, silenced


@pytest.mark.parametrize("descriptor", [STDOUT, STDERR])
def test_only_what_is_written_inside_is_lost(descriptor: int, capfd: pytest.CaptureFixture[str]) -> None:
    os.write(descriptor, b"before ")
    with silenced(descriptor):
        os.write(descriptor, b"inside ")
    os.write(descriptor, b"after")
    assert "".join(capfd.readouterr()) == "before after"


def test_the_descriptor_is_given_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), silenced(STDOUT):
        raise KeyError
    os.write(STDOUT, b"heard")
    assert capfd.readouterr().out == "heard"
