"""Foreign text as it may reach a terminal or a log, which obey what they are shown. Pure."""

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def visible(text: str) -> str:
    """Return `text` as one line in which all that cannot be seen is written out.

    That is more than control characters: signs that turn the direction of writing, or have no
    width, make a line look like another one.
    """
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def without_controls(text: str) -> str:
    """Return `text` with lines and tabs as they are, and other control characters written out."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
