"""An HTML page taken apart, and a name that a page must not believe."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

HOSTILE = '<script>alert("1")</script> & $x_1$ _name'
_VOID = frozenset(["br", "hr", "img", "input", "link", "meta"])


class Page(HTMLParser):
    """A page taken apart: its text, tags, attributes, and what is wrong with its nesting."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.faults: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> closes another element")

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.text.append(data)

    def values(self, name: str) -> list[str]:
        """The values of an attribute on all elements."""
        return [value for _, attribute, value in self.attributes if attribute == name]


def words(page: str) -> str:
    """The text of a page without its style sheet, on one line."""
    return " ".join("".join(Page(page).text).split())
