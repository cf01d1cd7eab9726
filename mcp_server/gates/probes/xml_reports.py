"""Reading XML that anybody may have written: as a stream, and within limits.

No tree is built: a reader is told of each element as it opens and closes, so that memory does not
grow with the file. Entities, references to other files and document types with declarations of
their own (default attributes multiply a file as entities do) are refused; a plain DOCTYPE is passed
over, and what it names is never fetched. The limits let any file that a runner writes through and
end the rest within about a second.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from mcp_server.gates.observation import LookFailedError
from mcp_server.gates.probes.files import TargetFile

MAX_DEPTH = 64
MAX_ELEMENTS = 400_000
MAX_NAMES = 1_000
"""Names of elements and attributes; a parser keeps each of them for good."""
MAX_TOKEN = 1024 * 1024
"""Bytes of one tag or comment: a parser starts an unfinished one anew with each portion."""
MAX_TEXT = 4_096
"""Characters of an element's text that its reader gets."""

_PORTION = 64 * 1024


class XmlReader(Protocol):
    """What is told of the elements, in their order; names come without their namespace."""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Take note of an element that opens."""

    def end(self, tag: str, text: str) -> None:
        """Take note of an element that closes, and of the text after its last child."""


def read_xml(file: TargetFile, reader: XmlReader) -> None:
    """Tell `reader` of all elements of `file`; raises LookFailedError."""
    try:
        _feed(file.content, reader)
    except _ExcessError as error:
        raise LookFailedError(f"{file.path} {error}", file.source) from error
    except DefusedXmlException as error:
        raise LookFailedError(
            f"{file.path} declares or refers to entities, which no report needs", file.source
        ) from error
    except (ParseError, LookupError, ValueError) as error:
        what = str(error)[:120] if isinstance(error, ParseError) else "its encoding is unknown"
        raise LookFailedError(f"{file.path} is not whole XML: {what}", file.source) from error


class _ExcessError(Exception):
    """The file is over a limit."""


class _Parser(DefusedXMLParser):
    def defused_start_doctype_decl(
        self, name: str, sysid: str | None, pubid: str | None, has_internal_subset: bool
    ) -> None:
        if has_internal_subset:
            super().defused_start_doctype_decl(name, sysid, pubid, has_internal_subset)


def _feed(content: bytes, reader: XmlReader) -> None:
    parser: Any = _Parser(target=_Limits(reader), forbid_dtd=True)
    whole = memoryview(content)
    for begin in range(0, len(whole), _PORTION):
        portion = whole[begin : begin + _PORTION]
        parser.feed(portion)
        if begin + len(portion) - parser.parser.CurrentByteIndex > MAX_TOKEN:
            raise _ExcessError(f"has a tag or a comment of over {MAX_TOKEN} bytes")
    parser.close()


class _Limits:
    """Counts what the parser finds, and hands it on."""

    def __init__(self, reader: XmlReader) -> None:
        self._reader = reader
        self._depth = 0
        self._elements = 0
        self._names: dict[str, str] = {}
        """Each name, and what it is without its namespace."""
        self._text: list[str] = []
        self._room = MAX_TEXT

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH:
            raise _ExcessError(f"nests over {MAX_DEPTH} elements deep")
        if self._elements > MAX_ELEMENTS:
            raise _ExcessError(f"has over {MAX_ELEMENTS} elements; split the report")
        if tag not in self._names or not self._names.keys() >= attributes.keys():
            self._remember(tag, *attributes)
        self._forget_text()
        self._reader.start(self._names[tag], attributes)

    def end(self, tag: str) -> None:
        self._depth -= 1
        text = "".join(self._text)
        self._forget_text()
        self._reader.end(self._names[tag], text)

    def data(self, text: str) -> None:
        if self._room > 0:
            self._text.append(text[: self._room])
            self._room -= len(text)

    def _remember(self, *names: str) -> None:
        self._names.update((name, name.rpartition("}")[2]) for name in names)
        if len(self._names) > MAX_NAMES:
            raise _ExcessError(f"has over {MAX_NAMES} names of elements and attributes")

    def _forget_text(self) -> None:
        if self._text:
            self._text.clear()
            self._room = MAX_TEXT
