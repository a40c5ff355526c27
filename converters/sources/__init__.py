"""Sources: what is this path, import string or live object? Opened, named, and run as the reference."""

from assay.converters.sources.base import Source, SourceError
from assay.converters.sources.opening import open_source

__all__ = ["Source", "SourceError", "open_source"]
