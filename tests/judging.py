"""The words that tests of all packages share: a command that ran, a source that was converted and judged."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay import Bundle

MODELS = Path(__file__).parent


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """Standard output, read as JSON."""
        return json.loads(self.stdout)


Command = Callable[..., Ran]
Faithful = Callable[..., Bundle]


def described(bundle: Bundle) -> tuple[dict[str, str], dict[str, str]]:
    """The inputs and the outputs of a bundle, by name, as text."""
    interface = bundle.interface
    return {s.name: str(s) for s in interface.inputs}, {s.name: str(s) for s in interface.outputs}
