"""What the rows of the verdict benchmark come to, and what its peers say of models that are plainly wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from verdicts import gates, report
from verdicts.peers import optimum_alarms, torch_verify_alarms
from verdicts.runtime import Ran
from verdicts.scores import Share, detection_limit, located, repairs, score, sort, survivors
from verdicts.trial import append_rows, read_rows

VALUE = np.ones((2, 3), np.float32)


def row(letter: str, verdict: str, counts: bool = True, alarm: bool = False, **changed: Any) -> dict[str, Any]:
    assay = {
        "verdict": verdict,
        "codes": [],
        "ratio": 3.0,
        "node": changed.pop("node", None),
        "seconds": 0.5,
        "message": "m",
    }
    return {
        "id": f"model/{letter or 'benign'}",
        "model": "model",
        "name": changed.pop("name", letter),
        "letter": letter,
        "severity": "",
        "says": "what it is",
        "nodes": [],
        "near": [],
        "located": False,
        "counts": counts,
        "excess": 9.0,
        "reason": None,
        "peers": {"allclose 1e-05": {"alarm": alarm, "seconds": 0.1}, "Polygraphy": {"alarm": None, "seconds": 0.0}},
        "run_seconds": 0.1,
        "assay": assay,
        **changed,
    }


def test_inconclusive_is_no_kill_and_on_a_benign_case_an_alarm() -> None:
    pile = sort([row("N", "inconclusive"), row("N", "fail"), row("", "inconclusive"), row("", "pass")])
    found = score(pile, "Assay")
    assert found.all_kills == Share(1, 2)
    assert found.inconclusive == 1
    assert found.alarms == Share(1, 2)


def test_an_equal_mutant_counts_for_nobody() -> None:
    pile = sort([row("V", "pass", counts=False), row("V", "pass")])
    assert score(pile, "Assay").all_kills == Share(0, 1)
    assert len(survivors(pile)) == 1


def test_a_peer_that_was_not_asked_has_no_score() -> None:
    page = report.text(sort([row("N", "fail", alarm=True), row("", "pass")]), 1.0)
    assert "| allclose 1e-05 | 1/1 (100.0 %)" in page
    assert "| Polygraphy |" not in page


def test_the_detection_limit_is_where_half_of_the_models_are_found_and_stay_so() -> None:
    found = {1e-6: "pass", 1e-5: "fail", 1e-4: "fail"}
    rows = [row("W", verdict, name="W1", severity=f"{size:g}") for size, verdict in found.items()]
    assert detection_limit(rows, "Assay") == 1e-5
    assert detection_limit(rows[:1], "Assay") is None


def test_a_node_counts_as_named_exactly_or_within_one() -> None:
    place: dict[str, Any] = {"nodes": ["a"], "near": ["a", "b"], "located": True}
    pile = sort([row("N", "fail", node=node, **place) for node in ("a", "b", "c", None)])
    exact, near = located(pile)
    assert (exact, near) == (Share(1, 4), Share(2, 4))


def tried(letter: str, proved: bool, same: bool | None, verdict: str = "fail") -> dict[str, Any]:
    found = row(letter, verdict)
    repair = {"proved": proved, "by": [], "reason": None if proved else "no mend", "seconds": 1.0, "same": same}
    return {**found, "assay": {**found["assay"], "repair": repair}}


def test_a_repair_counts_where_the_check_and_the_stated_test_agree() -> None:
    rows = [tried("N", True, True), tried("N", True, False), tried("I", False, None), row("I", "fail")]
    pile = sort([*rows, tried("I", False, None, verdict="inconclusive")])
    assert repairs(pile) == {"N": Share(1, 2), "I": Share(0, 1)}
    page, facts = report.text(pile, 1.0), report.facts(pile)
    assert "1/3 (33.3 %) repaired and proved" in page
    assert "not equal to the healthy model by the stated test: model/N." in page
    assert "| N operators | 2/2 (100.0 %) | 0/2 (0.0 %) | 1/2 (50.0 %) |" in page
    assert facts["repair"]["not_repaired"] == {
        "model/N": "it passes, but is not the healthy model",
        "model/I": "no mend",
    }


def test_every_gate_is_told_with_its_origin_and_what_lies_on_either_side() -> None:
    leaking, wrong, benign = row("S", "fail"), row("N", "fail"), row("", "pass")
    leaking["assay"] |= {"codes": ["PA021"], "ratio": 9.0}
    wrong["assay"] |= {"codes": ["PA001", "PA025"], "ratio": 50.0}
    pile = sort([leaking, wrong, benign])
    found = {gate.name: gates.sides(pile, gate) for gate in gates.GATES}
    assert found["relation: a place that should stay"] == gates.Sides(1, 1, 0)
    assert found["margin of a decision"] == gates.Sides(1, 0, 0)
    assert found["error that passes"] == gates.Sides(2, 0, 0)
    page = report.text(pile, 1.0)
    assert all(f"| {gate.name} | {gate.value} |" in page and gate.origin in page for gate in gates.GATES)


def test_a_row_that_a_kill_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    append_rows(path, iter([{"id": "a"}, {"id": "b"}]))
    path.write_text(path.read_text(encoding="utf-8") + '{"id": "c', encoding="utf-8")
    assert [found["id"] for found in read_rows(path)] == ["a", "b"]


def test_the_plot_is_written(tmp_path: Path) -> None:
    path = report.plot(sort([row("N", "fail"), row("", "pass")]), tmp_path)
    assert path.read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.slow
def test_torch_verify_passes_nan_a_broadcast_and_a_dropped_output() -> None:
    reference = {"a": VALUE, "b": VALUE}
    assert not torch_verify_alarms(reference, Ran((("a", VALUE * np.nan), ("b", VALUE))))
    assert not torch_verify_alarms(reference, Ran((("a", VALUE[:1]), ("b", VALUE))))
    assert not torch_verify_alarms(reference, Ran((("a", VALUE),)))
    assert torch_verify_alarms(reference, Ran((("a", VALUE + 1), ("b", VALUE))))
    assert torch_verify_alarms(reference, Ran(error="not loaded"))


def test_optimum_alarms_on_names_shapes_and_values_but_not_on_dtypes() -> None:
    reference = {"a": VALUE}
    assert not optimum_alarms(reference, Ran((("a", VALUE.astype(np.float64)),)))
    assert not optimum_alarms(reference, Ran((("a", VALUE + np.float32(5e-5)),)))
    assert optimum_alarms(reference, Ran((("a", VALUE + np.float32(5e-4)),)))
    assert optimum_alarms(reference, Ran((("a", VALUE[:1]),)))
    assert optimum_alarms(reference, Ran((("b", VALUE),)))
