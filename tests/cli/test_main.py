"""What every command shares: help, refusals, and errors that nobody foresaw."""

from __future__ import annotations

import pytest
from command_line import assay

from assay import cli


def test_a_command_that_is_nearly_right_is_suggested() -> None:
    ran = assay("certfy")
    assert (ran.status, "Did you mean 'certify'?" in ran.stderr) == (2, True)


def test_a_command_that_is_like_no_other_is_refused_without_one() -> None:
    ran = assay("zzz")
    assert (ran.status, "Did you mean" in ran.stderr) == (2, False)


def test_an_error_that_nobody_foresaw_is_one_sentence_and_no_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise RuntimeError("first line\nsecond line")

    monkeypatch.setattr(cli, "cli", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said == "assay: unexpected RuntimeError: first line second line; ASSAY_DEBUG=1 shows where\n"
    monkeypatch.setenv("ASSAY_DEBUG", "1")
    with pytest.raises(RuntimeError):
        cli.main()
