"""The root of every error that Assay raises on purpose."""


class AssayError(Exception):
    """An input that can't be converted, read or judged; its text is one sentence for the user (exit status 2)."""
