"""Providers by the names that users give them."""

from __future__ import annotations

import pytest

from assay.conformance.providers.catalogue import PROVIDERS, UnknownProviderError, require_known, why_unavailable


def test_every_name_in_the_catalogue_is_known_and_another_is_not() -> None:
    require_known(tuple(PROVIDERS))
    with pytest.raises(UnknownProviderError, match="there is no provider 'abacus', but there are cpu, cuda"):
        require_known(("cpu", "abacus"))


def test_a_machine_without_the_provider_says_so_and_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime as ort

    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CPUExecutionProvider"])
    assert why_unavailable("cpu") is None
    assert "has no CUDAExecutionProvider, but has CPUExecutionProvider" in str(why_unavailable("cuda"))
