"""A source that is given by name works in a process of its own, and is there what it is here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from onnx import parser

from assay import AssayError, check, convert
from assay.conformance.remote_source import RemoteSource, in_this_process, opened_reference
from assay.conformance.source_process import Order
from assay.converters.exporter import ConvertError
from assay.converters.sources import Source, open_source
from assay.converters.sources.onnx_model import OnnxSource

HEALTHY = "g (float[batch,6] x) => (float[batch,6] y) { y = Relu(x) }"
HANGING = """
import time
import torch

class Hanging(torch.nn.Module):
    def forward(self, x):
        while torch.jit.is_tracing():
            time.sleep(1)
        return x.relu()

def build():
    return Hanging()
"""
FEEDS = {"x": np.arange(12, dtype=np.float32).reshape(2, 6) - 6}


def write(graph: str, path: Path) -> Path:
    path.write_bytes(parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> {graph}').SerializeToString())
    return path


@pytest.fixture
def healthy(tmp_path: Path) -> Path:
    return write(HEALTHY, tmp_path / "healthy.onnx")


@pytest.fixture
def remote(healthy: Path) -> Iterator[Source]:
    with opened_reference(healthy) as source:
        assert isinstance(source, RemoteSource)
        yield source


def test_it_says_and_gives_what_the_source_does(remote: Source, healthy: Path) -> None:
    here = open_source(healthy)
    assert (remote.name, remote.framework, remote.kind) == (here.name, here.framework, here.kind)
    assert (remote.inputs, remote.describe(), remote.settings()) == (here.inputs, here.describe(), here.settings())
    ours, theirs = remote.run(FEEDS), here.run(FEEDS)
    assert list(ours) == list(theirs)
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)
    assert remote.named_outputs == here.named_outputs


def test_it_can_be_opened_here_for_those_who_need_its_insides(remote: Source) -> None:
    here = in_this_process(remote)
    assert isinstance(here, OnnxSource)
    assert in_this_process(remote) is here
    assert in_this_process(here) is here


def test_twins_are_the_sources(tmp_path: Path) -> None:
    text = "g (float[n,2] x) => (float[n,2] y) <float[2,2] w = {1, 2, 3, 4}> { y = MatMul (x, w) }"
    model = write(text, tmp_path / "m.onnx")
    feeds = {"x": np.array([[1, 0]], np.float32)}
    with opened_reference(model) as remote:
        ours, theirs = remote.perturbed(3), open_source(model).perturbed(3)
        assert ours is not None
        assert theirs is not None
        assert np.array_equal(ours.run(feeds)["y"], theirs.run(feeds)["y"])
        assert not np.array_equal(ours.run(feeds)["y"], remote.run(feeds)["y"])


def test_a_source_without_twins_has_none_here(remote: Source) -> None:
    assert remote.perturbed(0) is None


def test_a_live_object_stays_where_it_is(healthy: Path) -> None:
    live = open_source(healthy)
    with opened_reference(live) as source:
        assert source is live


def test_a_conversion_that_hangs_ends_in_its_time_and_the_source_still_runs(tmp_path: Path) -> None:
    (tmp_path / "hanging_conversion.py").write_text(HANGING, encoding="utf-8")
    inputs = {"x": "float32[batch,3]"}
    with opened_reference("hanging_conversion:build", inputs, folders=[tmp_path], time_limit=60) as remote:
        assert isinstance(remote, RemoteSource)
        remote.run({"x": np.zeros((2, 3), np.float32)})
        order = Order(tmp_path / "bundle", "generic", "torch.onnx.torchscript")
        with pytest.raises(ConvertError, match="the process was still at work after 3 s"):
            remote.convert(order, 3.0)
        assert not order.output.exists()
        assert remote.run({"x": np.zeros((2, 3), np.float32)})


def test_a_conversion_in_its_process_is_the_one_made_here(remote: Source, tmp_path: Path, healthy: Path) -> None:
    assert isinstance(remote, RemoteSource)
    remote.convert(Order(tmp_path / "there", "generic"), 60.0)
    here = convert(healthy, tmp_path / "here")
    assert (tmp_path / "there" / "model.onnx").read_bytes() == here.model.read_bytes()


def test_what_the_source_raises_keeps_its_name(remote: Source) -> None:
    with pytest.raises(Exception, match="Got: 3") as raised:
        remote.run({"x": np.zeros((2, 3), np.float32)})
    assert type(raised.value).__name__ == "InvalidArgument"
    assert remote.run(FEEDS)["y"].shape == (2, 6)


EXITING = "import os\n\ndef build():\n    os._exit(3)\n"


def test_a_source_that_ends_its_process_when_it_is_opened_is_refused(tmp_path: Path, healthy: Path) -> None:
    (tmp_path / "exiting_source.py").write_text(EXITING)
    with pytest.raises(AssayError, match=r"exiting_source:build can't be opened: the process exited with status 3"):
        check(healthy, "exiting_source:build", folders=[tmp_path])


def test_a_source_that_is_none_is_refused_as_ever(healthy: Path, tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="nothing_here"):
        check(healthy, tmp_path / "nothing_here.onnx")


def test_arrays_given_as_inputs_do_not_cross(healthy: Path) -> None:
    with opened_reference(healthy, {"x": np.zeros((2, 6), np.float32)}) as remote:
        assert isinstance(remote, RemoteSource)
        assert remote._opening.inputs is not None
        assert str(remote._opening.inputs["x"]) == "float32[2,6]"
