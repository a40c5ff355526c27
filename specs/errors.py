"""The root of every error that Assay raises on purpose, and the words of errors that others raise."""


class AssayError(Exception):
    """An input that can't be converted, read or judged; its text is one sentence for the user (exit status 2)."""


def brief(error: BaseException) -> str:
    """What another's error says, on one line and not too long; its kind where it says nothing."""
    return " ".join(str(error).split())[:400] or type(error).__name__
