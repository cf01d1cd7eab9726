"""XML that runners write is read; XML that was written to hurt is refused, and soon."""

import tracemalloc

import pytest

from mcp_server.gates.observation import LookFailedError
from mcp_server.gates.probes import xml_reports
from mcp_server.gates.probes.xml_reports import read_xml
from tests.gates.probes.report_builders import as_read

FULL = 16 * 1024 * 1024


class Notes:
    """A reader that notes all that it is told."""

    def __init__(self):
        self.told = []

    def start(self, tag, attributes):
        self.told.append((tag, dict(attributes)))

    def end(self, tag, text):
        self.told.append((tag, text))


class Deaf:
    """A reader that remembers nothing."""

    def start(self, tag, attributes):
        pass

    def end(self, tag, text):
        pass


def told(root, content):
    notes = Notes()
    read_xml(as_read(root, "report.xml", content), notes)
    return notes.told


def refused(root, content):
    with pytest.raises(LookFailedError) as caught:
        read_xml(as_read(root, "report.xml", content), Deaf())
    assert [source.path for source in caught.value.sources] == ["report.xml"]
    return caught.value.reason


def filled(begin, unit, end):
    return begin + unit * ((FULL - len(begin) - len(end)) // len(unit)) + end


def test_a_reader_is_told_of_elements_with_attributes_and_text(tmp_path):
    content = '<r xmlns="urn:x" a="1"><!-- c --><b> t&amp;u </b><c/></r>'
    assert told(tmp_path, content) == [
        ("r", {"a": "1"}),
        ("b", {}),
        ("b", " t&u "),
        ("c", {}),
        ("c", ""),
        ("r", ""),
    ]


def test_a_plain_doctype_is_passed_over_and_what_it_names_is_not_fetched(tmp_path):
    (tmp_path / "coverage-04.dtd").write_text("<!ENTITY x 'leaked'>", encoding="utf-8")
    doctype = '<!DOCTYPE coverage SYSTEM "coverage-04.dtd">'
    assert told(tmp_path, f"{doctype}<coverage/>") == [("coverage", {}), ("coverage", "")]
    assert "undefined entity" in refused(tmp_path, f"{doctype}<coverage>&x;</coverage>")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_encodings_that_writers_use_are_read(tmp_path, encoding):
    declared = encoding.removesuffix("-sig")
    content = f'<?xml version="1.0" encoding="{declared}"?><r a="é"/>'.encode(encoding)
    assert told(tmp_path, content)[0] == ("r", {"a": "é"})


ENTITIES = "declares or refers to entities, which no report needs"


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE r [<!ENTITY % a SYSTEM "http://localhost/x"> %a;]>',
        '<!DOCTYPE r [<!ATTLIST r a CDATA "added to each element">]>',
        '<!DOCTYPE r SYSTEM "x.dtd" [<!ELEMENT r ANY>]>',
    ],
    ids=["bomb", "file", "parameter", "default", "element"],
)
def test_a_document_type_with_declarations_of_its_own_is_refused(tmp_path, doctype):
    assert refused(tmp_path, f"{doctype}<r/>") == f"report.xml {ENTITIES}"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "no element found: line 1, column 0"),
        ("<r><a></r>", "mismatched tag: line 1, column 8"),
        ("<r><a/>", "no element found: line 1, column 7"),
        ("<r/><r/>", "junk after document element: line 1, column 4"),
        (b"\x7fELF\x00\x01\x02", "not well-formed (invalid token): line 1, column 0"),
        (b'<?xml version="1.0" encoding="rot13"?><r/>', "its encoding is unknown"),
        (b'<?xml version="1.0" encoding="shift_jis"?><r/>', "its encoding is unknown"),
        ('<r a="1" a="2"/>', "duplicate attribute: line 1, column 9"),
    ],
    ids=["empty", "crossed", "cut off", "two", "binary", "no encoding", "wide", "doubled"],
)
def test_what_is_not_whole_xml_is_refused(tmp_path, content, reason):
    assert refused(tmp_path, content) == f"report.xml is not whole XML: {reason}"


def test_nesting_ends_at_a_depth(tmp_path):
    depth = xml_reports.MAX_DEPTH
    assert len(told(tmp_path, "<a>" * depth + "</a>" * depth)) == 2 * depth
    assert refused(tmp_path, "<a>" * (depth + 1)) == "report.xml nests over 64 elements deep"


def test_text_is_handed_on_up_to_a_length(tmp_path):
    long = "line\n" * 20_000
    content = f"<r><a>{long}</a><b>y</b></r>"
    texts = [told[1] for told in told(tmp_path, content) if isinstance(told[1], str)]
    assert texts == [long[: xml_reports.MAX_TEXT], "y", ""]


def numbered(begin, unit, end):
    count = FULL // (len(unit) + 5)
    return begin + b"".join(unit % number for number in range(count)) + end


HOSTILE = {
    "elements": (filled, (b"<r>", b"<a/>", b"</r>"), "has over 400000 elements; split the report"),
    "deep": (filled, (b"", b"<a>", b""), "nests over 64 elements deep"),
    "attribute": (
        filled,
        (b'<r a="', b"a", b'"/>'),
        "has a tag or a comment of over 1048576 bytes",
    ),
    "comment": (filled, (b"<r><!--", b"a", b"--></r>"), "has a tag or a comment of over 1048576"),
    "names": (numbered, (b"<r>", b"<a%d/>", b"</r>"), "has over 1000 names of elements and"),
    "attributes": (numbered, (b"<r ", b'a%d="" ', b"/>"), "has a tag or a comment of over 1048576"),
    "elements of many attributes": (
        filled,
        (b"<r>", b"<a %s/>" % b" ".join(b'a%d=""' % n for n in range(2_000)), b"</r>"),
        "has over 1000 names of elements and attributes",
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused(tmp_path, kind):
    make, parts, reason = HOSTILE[kind]
    content = make(*parts)
    assert refused(tmp_path, content).startswith(f"report.xml {reason}")


@pytest.mark.parametrize(
    "unit", [b"\n", b"a\n", b"&lt;", b"<![CDATA[x]]>", b"<!---->", b"<?a?>", b"<a/>"]
)
def test_text_and_comments_of_any_length_are_read_in_little_memory(tmp_path, unit):
    file = as_read(tmp_path, "report.xml", b"<r>" + unit * 100_000 + b"</r>")
    tracemalloc.start()
    try:
        read_xml(file, Deaf())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1024 * 1024
