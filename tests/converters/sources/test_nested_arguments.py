"""Dotted names of inputs become what ``forward`` takes: lists, dictionaries, tuples, dataclasses, None."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
import torch
from judging import Faithful, described
from torch import Tensor

from assay import AssayError
from assay.converters.sources import open_source
from assay.converters.sources.nested_arguments import nested

ROW = "float32[batch,6]"


@dataclass
class State:
    """What a recurrent model remembers."""

    hidden: Tensor
    cell: Tensor | None = None


class Corners(NamedTuple):
    """Two points."""

    first: Tensor
    last: Tensor


def plain(x: Any, past: Any) -> None:
    """Says nothing of the kinds of its parameters."""


def test_a_number_makes_a_list_and_a_word_a_dictionary() -> None:
    found = nested({"past.1.key": 3, "past.0.key": 1, "x": 0}, plain)
    assert found == {"x": 0, "past": [{"key": 1}, {"key": 3}]}


def test_an_item_without_an_input_is_none() -> None:
    assert nested({"past.2": 5}, plain) == {"past": [None, None, 5]}


def test_a_value_that_is_a_dictionary_stays_one() -> None:
    assert nested({"x": {"0": 1}}, plain) == {"x": {"0": 1}}


def test_annotations_choose_the_kind() -> None:
    def forward(
        a: tuple[int, int], b: State, c: Corners | None, d: list[tuple[int, ...]], e: dict[str, State], f: tuple[int]
    ) -> None: ...

    flat = ["a.0", "a.1", "b.hidden", "c.first", "c.last", "d.0.0", "d.0.1", "e.left.hidden", "f.0"]
    assert nested({name: index for index, name in enumerate(flat)}, forward) == {
        "a": (0, 1),
        "b": State(2),  # type: ignore[arg-type]
        "c": Corners(3, 4),  # type: ignore[arg-type]
        "d": [(5, 6)],
        "e": {"left": State(7)},  # type: ignore[arg-type]
        "f": (8,),
    }


class Remembering(torch.nn.Module):
    """Takes its inputs in containers, one of them by name alone, and gives the like."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = torch.nn.Linear(6, 6)

    def forward(
        self, x: Tensor, *, state: State, past: list[dict[str, Tensor] | None], scale: Tensor | None = None
    ) -> dict[str, Any]:
        hidden = torch.tanh(self.linear(x) + state.hidden)
        hidden = hidden if state.cell is None else hidden * state.cell
        kept = [p["key"] * 2 for p in past if p is not None]
        return {"hidden": hidden if scale is None else hidden * scale, "state": State(hidden + 1), "past": tuple(kept)}


@pytest.mark.parametrize("exporter", ["assay.pytorch", "torch.onnx", "torch.onnx.torchscript"])
def test_a_model_is_converted_with_inputs_in_containers(exporter: str, faithful: Faithful) -> None:
    past = dict.fromkeys(("past.0.key", "past.2.key"), "float32[batch,length]")
    inputs = {"x": ROW, "state.hidden": ROW, **past}
    bundle = faithful(Remembering(), inputs, exporter=exporter)
    outputs = {"hidden": ROW, "state.hidden_output": ROW, "past.0": "float32[batch,length]"}
    assert described(bundle) == (inputs, outputs | {"past.1": "float32[batch,length]"})


def test_inputs_stand_in_the_order_of_the_parameters(faithful: Faithful) -> None:
    inputs = {"past.0.key": ROW, "scale": ROW, "state.cell": ROW, "state.hidden": ROW, "x": ROW}
    assert list(described(faithful(Remembering(), inputs))[0]) == [
        "x",
        "state.cell",
        "state.hidden",
        "past.0.key",
        "scale",
    ]


def test_the_model_is_left_as_it_was(faithful: Faithful) -> None:
    model = Remembering()
    faithful(model, {"x": ROW, "state.hidden": ROW, "past.0.key": ROW})
    assert "forward" not in vars(model)
    assert not model._forward_hooks


def test_an_input_of_no_parameter_is_refused() -> None:
    with pytest.raises(AssayError, match=r"has no input named other\.0, but has past, state, x"):
        open_source(Remembering(), {"other.0": ROW})


class Anything(torch.nn.Module):
    """Takes what it is given by name."""

    def forward(self, x: Tensor, **others: Any) -> Tensor:
        result: Tensor = x + others["offset"] * others["scales"][1]
        return result


def test_keyword_arguments_without_a_parameter_are_taken(faithful: Faithful) -> None:
    inputs = {"x": ROW, "offset": ROW, "scales.1": ROW}
    assert described(faithful(Anything(), inputs))[0] == inputs
