"""Adapters: how a kind of model is called with flat tensors, and what its code needs before torch.export reads it.

One kind a file, which says so in its constant ``ADAPTER``; `find_adapter` knows them by the names of the classes, so
that no library is imported that the model did not bring along.
"""

from assay.converters.pytorch.adapters.adapter import Adapter
from assay.converters.pytorch.adapters.registry import adapted_export, find_adapter

__all__ = ["Adapter", "adapted_export", "find_adapter"]
