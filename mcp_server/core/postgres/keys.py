"""Keys of advisory locks: numbers that stand for what is locked. Pure.

All programs on a database share these numbers, so they are made from names that nobody else has.
"""

import hashlib


def key_of(schema: str, *what: str) -> int:
    """Return the key, a signed number of 64 bits, for `what` in `schema`."""
    name = "\0".join(("aos_workflow", schema, *what))
    return int.from_bytes(hashlib.sha256(name.encode("utf-8")).digest()[:8], signed=True)


def halves(key: int) -> tuple[int, int]:
    """Return a key as the database shows it among its locks: two unsigned numbers of 32 bits."""
    unsigned = key % 2**64
    return unsigned >> 32, unsigned & 0xFFFFFFFF
