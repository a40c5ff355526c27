"""The pytest plugin: a manifest is a test file, each of its steps a test. Heavy imports wait until one is found."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from assay.conformance.pytest_evidence import explained
from assay.conformance.pytest_items import ManifestFile, StepItem
from assay.conformance.pytest_reports import ReportFolder

if TYPE_CHECKING:
    from collections.abc import Mapping

SUFFIX = ".assay.yaml"
MARKERS = {
    "assay": "a step of a manifest (*.assay.yaml)",
    "convert": "converts the source of a manifest to ONNX",
    "open": "opens the ready model of a manifest",
    "lint": "static rules on the model of a manifest",
    "parity": "compares the model of a manifest with its source, on one provider",
    "accuracy": "judges the quantized forms of the model of a manifest, on one provider",
    "latency": "times the model of a manifest, on one provider",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of ``pytest`` for manifests."""
    group = parser.getgroup("assay", "ONNX models certified by manifest (*.assay.yaml)")
    group.addoption(
        "--assay-report", metavar="DIR", help="write report.html and the other reports of all manifests to DIR"
    )
    group.addoption(
        "--assay-provider",
        action="append",
        metavar="NAME",
        help="judge on this provider instead of the manifests' (repeatable)",
    )
    group.addoption(
        "--assay-trust-source", action="store_true", help="load sources that are pickles, which can run code"
    )
    group.addoption(
        "--assay-allow-inconclusive", action="store_true", help="skip, instead of fail, where a check can't be judged"
    )
    parser.addini("assay_allow_inconclusive", "the same as --assay-allow-inconclusive", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; refuse unknown providers at once; see to the report where one is asked for."""
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    _require_known(config.getoption("assay_provider"))
    folder = config.getoption("assay_report")
    if folder is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(ReportFolder(config.invocation_params.dir / folder, SUFFIX), "assay-report")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ManifestFile | None:
    """A file whose name ends in ``.assay.yaml`` is a manifest."""
    return ManifestFile.from_parent(parent, path=file_path) if file_path.name.endswith(SUFFIX) else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the steps of a manifest together, whoever shuffled them: its model is opened once, and one at a time."""
    places: dict[pytest.Item | pytest.Collector, int] = {}
    for index, item in enumerate(items):
        places.setdefault(_unit(item), index)
    items.sort(key=lambda item: places[_unit(item)])


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Give the report of a manifest that can't be read its evidence."""
    report = yield
    return collector.with_evidence(report) if isinstance(collector, ManifestFile) and report.failed else report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give the report of a step its evidence, and a skipped one its place in the manifest."""
    report = yield
    return item.with_evidence(report, call) if isinstance(item, StepItem) else report


@pytest.hookimpl(wrapper=True)
def pytest_report_from_serializable(data: Mapping[str, Any]) -> Generator[None, Any, Any]:
    """Restore the sentences of a report that comes from a worker of pytest-xdist."""
    report = yield
    return explained(report) if "assay" in data else report


def _unit(item: pytest.Item) -> pytest.Item | pytest.Collector:
    return item.manifest_file if isinstance(item, StepItem) else item


def _require_known(providers: list[str] | None) -> None:
    if not providers:
        return
    from assay.conformance.providers.catalogue import UnknownProviderError, require_known

    try:
        require_known(tuple(providers))
    except UnknownProviderError as error:
        raise pytest.UsageError(f"--assay-provider: {error}") from error
