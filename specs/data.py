"""The profile's data files, read from beside this package, be it a checkout or an installed wheel."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from assay.specs.errors import AssayError

PACKAGE = Path(__file__).parent
PROFILE = PACKAGE / "profile" / "v1"
PROFILE_VERSION = "1.0"

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where libyaml is there


class UnknownNameError(AssayError):
    """A name that the profile does not know: of a rule, a task or a target."""

    def __init__(self, kind: str, name: str, known: tuple[str, ...]) -> None:
        super().__init__(kind, name, known)
        self.kind, self.name, self.known = kind, name, known

    def __str__(self) -> str:
        return f"{self.name!r} is no {self.kind}, but should be one of {', '.join(self.known)}"


def load_yaml(path: Path) -> Any:
    """The content of one YAML file of the profile."""
    return yaml.load(path.read_bytes(), Loader=_Loader)


@cache
def names(folder: str) -> tuple[str, ...]:
    """The names of the files in a folder of the profile, sorted."""
    return tuple(sorted(path.stem for path in (PROFILE / folder).glob("*.yaml")))


def load_named(kind: str, folder: str, name: str) -> Any:
    """The content of ``folder/name.yaml``; raises `UnknownNameError` where there is none."""
    if name not in names(folder):
        raise UnknownNameError(kind, name, names(folder))
    return load_yaml(PROFILE / folder / f"{name}.yaml")
