"""Relations: an output moves where the source's moves and stays where it stays; what was not run relates to nothing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from assay.conformance.parity.judged import Judged
from assay.conformance.parity.oracle import Noise, Reference
from assay.conformance.parity.probe_run import ProbeRun
from assay.conformance.parity.probes import Alignment, LastStep, Probe, Prolonged, Relation, Selected
from assay.conformance.parity.relations import judge_relations

FLOOR = 1e-6
BASE = np.arange(12, dtype=np.float32).reshape(4, 3)


def ran(name: str, truth: Mapping[str, np.ndarray], got: Mapping[str, np.ndarray], *relations: Relation) -> ProbeRun:
    reference = Reference(truth, truth, {output: Noise(FLOOR, FLOOR) for output in truth})
    probe = Probe(name, "a test", {}, relations=relations)
    return ProbeRun(Judged(probe, reference), {"name": name}, (), got, dict.fromkeys(truth, FLOOR))


def related(
    align: Alignment, truth: tuple[np.ndarray, np.ndarray], got: tuple[np.ndarray, np.ndarray], base: str = "y"
) -> tuple[str, list[str]]:
    relation = Relation("PA020", "base", "something changes", align)
    runs = [ran("base", {base: truth[0]}, {base: got[0]}), ran("other", {"y": truth[1]}, {"y": got[1]}, relation)]
    (row,), findings = judge_relations(runs)
    return row["status"], [finding.message for finding in findings]


def test_what_moves_and_stays_as_the_source_does_holds() -> None:
    moved = BASE.copy()
    moved[1] += 1
    assert related(None, (BASE, moved), (BASE + FLOOR, moved - FLOOR)) == ("held", [])


def test_what_moves_where_the_source_stays_leaks() -> None:
    leaking = BASE.copy()
    leaking[2, 1] += 0.5
    status, (message,) = related(None, (BASE, BASE), (BASE, leaking))
    assert status == "broken"
    assert message == (
        "when something changes, output y moves by up to 0.5 in 1 places, but should stay there as the source's does"
    )


def test_what_stays_where_the_source_moves_is_dead() -> None:
    moved = BASE.copy()
    moved[1] += 1
    status, (message,) = related(None, (BASE, moved), (BASE, BASE))
    assert status == "broken"
    assert "output y stays in 3 places, but should move there as the source's does, by up to 1" in message


def test_rows_are_found_along_the_axis_where_the_source_has_them() -> None:
    square = np.arange(16, dtype=np.float32).reshape(4, 4)
    order = Selected(4, (3, 2, 1, 0))
    assert related(order, (square, square[::-1]), (square, square[::-1])) == ("held", [])
    assert related(order, (square, square[:, ::-1]), (square, square[:, ::-1])) == ("held", [])
    assert related(order, (square, square[::-1]), (square, square))[0] == "broken"


def test_a_row_alone_is_the_row_in_its_batch() -> None:
    alone = Selected(4, (2,))
    assert related(alone, (BASE, BASE[[2]]), (BASE, BASE[[2]])) == ("held", [])
    assert related(alone, (BASE, BASE[[2]]), (BASE, BASE[[1]]))[0] == "broken"


def test_where_the_source_depends_on_mates_the_model_may() -> None:
    assert related(Selected(4, (2,)), (BASE, BASE[[2]] + 1), (BASE, BASE[[2]] + 1)) == ("held", [])
    assert related(Selected(4, (2,)), (BASE, BASE[[2]] + 1), (BASE, BASE[[2]]))[0] == "broken"


def test_longer_padding_is_compared_where_both_have_places() -> None:
    longer = np.pad(BASE, ((0, 0), (0, 2)), constant_values=9)
    assert related(Prolonged(2), (BASE, longer), (BASE, longer)) == ("held", [])
    assert related(Prolonged(2), (BASE, longer), (BASE, longer + 1))[0] == "broken"


def test_the_last_step_is_the_end_of_all_steps_at_once() -> None:
    last = BASE[:, -1:]
    assert related(LastStep(4), (last, BASE), (last, BASE), "y at step 4") == ("held", [])
    assert related(LastStep(4), (last, BASE), (last, BASE[:, ::-1]), "y at step 4")[0] == "broken"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_relates_to_nothing(value: float) -> None:
    undefined = np.where(BASE == 4, value, BASE).astype(np.float32)
    assert related(None, (undefined, BASE), (undefined, BASE)) == ("held", [])


def test_outputs_of_other_shapes_are_not_judged() -> None:
    assert related(Selected(4, (2,)), (BASE[0], BASE[0]), (BASE[0], BASE[0])) == ("not judged", [])
    assert related(None, (BASE, BASE), (BASE, BASE[:2])) == ("not judged", [])


def test_a_probe_that_was_not_run_is_not_judged() -> None:
    (row,), findings = judge_relations([ran("other", {"y": BASE}, {"y": BASE}, Relation("PA021", "base", "it is"))])
    assert (row["status"], findings) == ("not judged", [])
