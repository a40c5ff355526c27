"""The HTML page: well-formed, self-contained, escaped, reproducible, and true to the result."""

from __future__ import annotations

import re
from collections import Counter

from pages import HOSTILE, Page, words

from assay.conformance.reports import render_html
from assay.conformance.result import CheckResult, Finding, ModelFiles, Result, Verdict
from assay.specs.interface import Interface, parse_spec


def test_the_page_is_well_formed(passing: Result, failing: Result, empty: Result) -> None:
    page = Page(render_html([("digits", passing), ("broken", failing), ("nothing", empty)]))
    assert page.faults == []
    assert page.tags["svg"] == 4


def test_ids_are_unique_and_every_reference_finds_its_own(passing: Result, failing: Result) -> None:
    page = Page(render_html([("a", passing), ("b", passing), ("c", failing)]))
    assert [name for name, count in Counter(page.values("id")).items() if count > 1] == []
    labels = [name for value in page.values("aria-labelledby") for name in value.split()]
    links = [value.removeprefix("#") for value in page.values("href")]
    clips = re.findall(r"url\(#([^)]+)\)", render_html([("a", passing)]))
    assert {*labels, *links, *clips} <= set(page.values("id"))


def test_the_page_needs_no_network_and_no_script(passing: Result, failing: Result) -> None:
    text = render_html([("digits", passing), ("broken", failing)])
    page = Page(text)
    assert re.findall(r"https?:|//\w|@import|@font-face|url\((?!#)", text) == []
    assert page.values("src") == []
    assert all(value.startswith("#") for value in page.values("href"))
    assert page.tags["script"] == page.tags["link"] == 0
    assert "default-src 'none'" in text


def test_names_are_escaped(passing: Result) -> None:
    probe = {
        "name": HOSTILE,
        "purpose": HOSTILE,
        "shapes": {HOSTILE: [1]},
        "outputs": [{"output": HOSTILE, "ratio": 1.0}],
    }
    finding = Finding(
        code=HOSTILE, severity="error", message=HOSTILE, location={HOSTILE: HOSTILE}, evidence={HOSTILE: [HOSTILE]}
    )
    check = CheckResult(
        check="parity", provider=HOSTILE, verdict=Verdict.FAIL, findings=(finding,), measurements={"probes": [probe]}
    )
    latency = {"models": [{"name": HOSTILE, "median_ms": 1.0, "placement": {HOSTILE: 1}}]}
    timed = CheckResult(check="latency", verdict=Verdict.PASS, measurements=latency)
    files = passing.model.files[0].model_copy(update={"name": HOSTILE})
    result = Result.of([check, timed], ModelFiles(files=(files,)), {HOSTILE: HOSTILE}, {HOSTILE: HOSTILE})
    page = Page(render_html([(HOSTILE, result)]))
    assert page.tags["script"] == 0
    assert page.faults == []
    assert "".join(page.text).count(HOSTILE) > 10


def test_the_page_says_what_the_result_says(passing: Result) -> None:
    text = words(render_html([("digits", passing)]))
    told = ["1.7x floor", "3.3x floor", "98.6%", "95.3%", "0.137 ms", "0.164 ms", "1.25x", "3.3 points", "38.2 dB"]
    told += ["4.7e-6", "1,234", "ab" * 32, "cd" * 32, "5,678", "onnxruntime 1.32.0", "refused by the source", "MD004"]
    told += ["ignored by the manifest: MD009"]
    assert [phrase for phrase in told if phrase not in text] == []


def test_numbers_come_from_the_result_alone(passing: Result) -> None:
    bare = [check.model_copy(update={"measurements": {}}) for check in passing.checks]
    text = words(render_html([("digits", passing.model_copy(update={"checks": tuple(bare)}))]))
    assert re.findall(r"\d+(?:\.\d+)?(?:x| ms|%| points| dB|e-\d)", text.partition("Files")[0]) == []


def test_an_error_that_is_not_finite_is_called_so(failing: Result) -> None:
    page = render_html([("broken", failing)])
    assert "worst error not finite at probe batch-5" in words(page)
    assert ">not finite</text>" in page


def test_a_verdict_is_a_word(passing: Result, failing: Result, empty: Result) -> None:
    text = words(render_html([("a", passing), ("b", failing), ("c", empty)]))
    assert text.count("✓ pass") == 2 + len(passing.checks)
    assert text.count("✗ fail") == 4
    assert text.count("? inconclusive") == 3


def test_an_empty_result_is_inconclusive(empty: Result) -> None:
    text = words(render_html([("nothing", empty)]))
    assert "1 model: 1 inconclusive" in text
    assert "No check ran." in text


def test_no_result_at_all_is_inconclusive() -> None:
    assert "? inconclusive no model was judged" in words(render_html([]))


def test_same_results_same_page(passing: Result, failing: Result) -> None:
    results = [("digits", passing), ("broken", failing)]
    assert render_html(results) == render_html(results)


def test_the_declared_interface_is_shown(passing: Result) -> None:
    interface = Interface((parse_spec("x", "float32[batch,6] in 0..16"),), (parse_spec("logits", "float32[batch,10]"),))
    check = CheckResult(check="convert", verdict=Verdict.PASS, measurements={"interface": interface.to_json()})
    text = words(render_html([("digits", passing.model_copy(update={"checks": (check,)}))]))
    assert "float32[batch,6] in 0..16" in text


def test_many_models_stay_under_two_megabytes(passing: Result) -> None:
    assert len(render_html([(f"model {number}", passing) for number in range(20)]).encode()) < 2_000_000


def test_of_many_probes_the_plot_shows_the_worst(passing: Result) -> None:
    probes = [{"name": f"probe-{number}", "outputs": [{"output": "y", "ratio": number / 10}]} for number in range(75)]
    check = CheckResult(check="parity", verdict=Verdict.PASS, measurements={"probes": probes})
    page = render_html([("wide", passing.model_copy(update={"checks": (check,)}))])
    assert "15 probes with smaller errors left out" in page
    assert ">probe-74</text>" in page
    assert ">probe-3</text>" not in page


def test_graphs_of_other_models_stand_beside_ours(passing: Result) -> None:
    models = [{"name": "ours", "nodes": 236}, {"name": "vendor", "nodes": 245}]
    check = CheckResult(check="convert", verdict=Verdict.PASS, measurements={"nodes": 236, "models": models})
    page = render_html([("digits", passing.model_copy(update={"checks": (check,)}))])
    assert re.search(r"vendor</th><td class=\"figure\">245</td>", page)
