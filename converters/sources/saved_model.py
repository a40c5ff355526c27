"""A SavedModel folder of TensorFlow 1 or 2, by its serving signature."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf

from assay.converters.sources.base import SourceError
from assay.converters.sources.opening import Request
from assay.converters.sources.tf_function import TensorFlowSource, from_concrete


def open_folder(path: Path, request: Request) -> TensorFlowSource:
    """Load a SavedModel; a signature other than ``serving_default`` can't be chosen where there are several."""
    loaded = load(path, request.name)
    signatures = dict(loaded.signatures)
    name = "serving_default" if "serving_default" in signatures else next(iter(signatures), None)
    if name is None or (name != "serving_default" and len(signatures) > 1):
        found = ", ".join(sorted(signatures)) or "none"
        raise SourceError(request.name, f"has the signatures {found}, but should have one named serving_default")
    return from_concrete(_keeping(signatures[name], loaded), request, "saved-model")


def load(path: Path, name: str) -> Any:
    """Load with today's loader, or with the one for graphs where the objects can't be restored any more.

    Models saved with a Keras optimizer of TensorFlow 2.4 fail in today's loader (``'_UserObject' object has no
    attribute 'add_slot'``); their graph and variables are whole.
    """
    try:
        return tf.saved_model.load(str(path))
    except AttributeError:
        return _load_graph(path, name)
    except Exception as error:  # noqa: BLE001 - a broken folder raises many kinds
        raise SourceError(name, f"can't be loaded as a SavedModel: {str(error).strip()[:400]}") from error


def _load_graph(path: Path, name: str) -> Any:
    from tensorflow.python.saved_model import load_v1_in_v2

    try:
        return load_v1_in_v2.load(str(path), ["serve"])
    except Exception as error:  # noqa: BLE001 - a broken folder raises many kinds
        raise SourceError(name, f"can't be loaded as a SavedModel: {str(error).strip()[:400]}") from error


def _keeping(function: Any, owner: Any) -> Any:
    function._assay_owner = owner  # the function holds its variables weakly
    return function
