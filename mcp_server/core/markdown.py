"""What the server reads out of a definition's Markdown: its title, labelled lines and steps.

Documents are parsed by a CommonMark parser, blocks only, so that headings and numbered lines inside
code blocks are never taken for structure. Pure.
"""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

MAX_STEP = 160

_STEP_HEADING = re.compile(r"Step\s+\d+\s*[:.)-]?\s*(?P<text>.*)", re.IGNORECASE)
_LABEL = re.compile(r"\*\*(?P<name>[^*:]+)(?::\*\*|\*\*:)\s*(?P<value>\S.*)")

_parser = MarkdownIt("commonmark")
_parser.core.ruler.enableOnly(["normalize", "block"])


class Document:
    """One parsed Markdown document."""

    def __init__(self, text: str) -> None:
        """Parse `text`."""
        self._tokens = _parser.parse(text)

    @property
    def title(self) -> str | None:
        """The text of the first heading."""
        return next((text for _, text in self._headings()), None)

    @property
    def first_paragraph(self) -> str | None:
        """The first paragraph that is not a labelled line."""
        for token, inline in self._followed():
            text = " ".join(inline.content.split())
            if token.type == "paragraph_open" and token.level == 0 and not _LABEL.match(text):
                return text
        return None

    def label(self, *names: str) -> str | None:
        """Return the value of the first line `**Name:** value` with one of these names."""
        wanted = {name.lower() for name in names}
        for token in self._tokens:
            if token.type != "inline":
                continue
            for line in token.content.splitlines():
                found = _LABEL.match(line.strip())
                if found and found["name"].strip().lower() in wanted:
                    return found["value"].strip()
        return None

    def steps(self) -> tuple[str, ...]:
        """Return the first lines of the steps to take.

        These are the headings `Step N: ...`; without any, the numbered list under a heading that
        speaks of steps; without that, the first numbered list.
        """
        headed = [found["text"] for _, text in self._headings()
                  if (found := _STEP_HEADING.match(text))]  # fmt: skip
        return tuple(_short(text) for text in headed or self._list_under_steps())

    def _list_under_steps(self) -> list[str]:
        lists: list[tuple[bool, list[str]]] = []
        about_steps = False
        for index, token in enumerate(self._tokens):
            if token.type == "heading_open":
                about_steps = "step" in self._tokens[index + 1].content.lower()
            elif token.type == "ordered_list_open" and token.level == 0:
                lists.append((about_steps, self._items(index)))
        lists.sort(key=lambda entry: not entry[0])
        return lists[0][1] if lists else []

    def _items(self, start: int) -> list[str]:
        items: list[str] = []
        awaiting = False
        for token in self._tokens[start + 1 :]:
            if token.type == "ordered_list_close" and token.level == 0:
                break
            if token.type == "list_item_open" and token.level == 1:
                awaiting = True
            elif token.type == "inline" and awaiting:
                items.append(token.content)
                awaiting = False
        return items

    def _headings(self) -> Iterator[tuple[Token, str]]:
        for token, inline in self._followed():
            if token.type == "heading_open":
                yield token, inline.content.strip()

    def _followed(self) -> Iterator[tuple[Token, Token]]:
        for token, following in zip(self._tokens, self._tokens[1:], strict=False):
            if following.type == "inline":
                yield token, following


def _short(text: str) -> str:
    line = text.strip().splitlines()[0].strip() if text.strip() else ""
    return line if len(line) <= MAX_STEP else f"{line[: MAX_STEP - 1]}…"
