"""Pinned definitions: read once, and never anything but what was pinned."""

from collections import Counter

import pytest

from mcp_server.core.file_store import FileStore
from mcp_server.core.pinning import Pinned
from mcp_server.errors import DamagedStateError
from tests.builders import definition
from tests.memory_store import MemoryStore


class CountedStore(MemoryStore):
    """A store that counts how often each snapshot is read."""

    def __init__(self):
        super().__init__()
        self.reads = Counter()

    def pinned(self, digest):
        self.reads[digest] += 1
        return super().pinned(digest)


def pin(store, made):
    store.pin(made.digest, made.snapshot)
    return made.digest


def test_a_definition_is_served_as_it_was_pinned():
    store = CountedStore()
    one, other = definition(), definition(3, name="other_v1")
    pinned = Pinned(store)
    for made in (one, other):
        digest = pin(store, made)
        assert pinned(digest) == made
        assert pinned(digest).digest == digest


def test_a_definition_is_read_once():
    store = CountedStore()
    digest = pin(store, definition())
    pinned = Pinned(store)
    assert pinned(digest) is pinned(digest)
    assert store.reads == {digest: 1}
    assert Pinned(store)(digest) is not pinned(digest)


def test_a_definition_that_was_missing_is_looked_for_again():
    store = CountedStore()
    pinned = Pinned(store)
    made = definition()
    with pytest.raises(DamagedStateError, match="the definition is missing"):
        pinned(made.digest)
    pin(store, made)
    assert pinned(made.digest) == made


@pytest.mark.parametrize("content", [b"{}", b"not json", b"[]", b'{"phases": [{}]}'])
def test_a_definition_that_this_server_cannot_read_is_damage(content):
    store = MemoryStore()
    store.pin("d" * 64, content)
    with pytest.raises(DamagedStateError) as refusal:
        Pinned(store)("d" * 64)
    assert refusal.value.message == (
        "the pinned definition dddddddddddd cannot be read by this server"
    )
    assert refusal.value.remediation == (
        "Run the server version that started the session, or start again."
    )


def test_a_definition_that_was_edited_where_it_is_stored_is_damage(tmp_path):
    store = FileStore(tmp_path / "state")
    digest = pin(store, definition())
    [path] = (tmp_path / "state" / "definitions").iterdir()
    edited = path.read_bytes().replace(b'"required":true', b'"required":false')
    assert edited != path.read_bytes()
    path.write_bytes(edited)
    with pytest.raises(DamagedStateError, match=f"{digest[:12]} is missing or altered"):
        Pinned(store)(digest)
