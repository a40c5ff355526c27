"""TensorFlow's C++ libraries write a banner to standard error while they load, whatever the log level says."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from assay.converters.silence import STDERR, silenced


def hide_tensorflow_banner() -> None:
    """From now on, importing ``tensorflow`` is silent, and so are its libraries below a fatal error."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.meta_path.insert(0, _SilentTensorFlow())


class _SilentTensorFlow(MetaPathFinder):
    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,  # noqa: ARG002 - importlib's signature
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path) if fullname == "tensorflow" else None
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def silently(module: ModuleType) -> None:
                with silenced(STDERR):
                    execute(module)

            spec.loader.exec_module = silently  # type: ignore[method-assign]
        return spec
