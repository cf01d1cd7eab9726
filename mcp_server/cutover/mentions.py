"""Every mention of the old tools outside of their registrations: rewritten or listed. Pure.

Python is only listed here: what its code becomes is `python_plan`'s business, and what it says in
texts is for a person. So are configuration and scripts in other languages, and histories, which
tell what was and not what is.
"""

import ast
import re
from collections.abc import Iterator

from mcp_server.cutover.calls import becomes
from mcp_server.cutover.findings import Place
from mcp_server.cutover.front_matter import rewrite_front_matter
from mcp_server.cutover.prose_mentions import Known, Mentions, line_of, mentions_in, rewrite_prose

_HISTORY = re.compile(
    r"(?:^|/)(?:changelog|changes|history|news|release[-_]?notes)[^/]*\Z", re.IGNORECASE
)
_SHARED_NAMES = frozenset({"get_task"})
"""Names that much else has too: alone in a text of a program, they say nothing."""


def rewrite_text_file(path: str, text: str, known: Known) -> Mentions:
    """Return what becomes of a prompt, a rule or a page."""
    if _HISTORY.search(path):
        return list_mentions(path, text, known)
    lists = rewrite_front_matter(path, text, known)
    prose = rewrite_prose(path, lists.text, known)
    return Mentions(prose.text, lists.rewritten + prose.rewritten, lists.left + prose.left)


def list_mentions(path: str, text: str, known: Known) -> Mentions:
    """Return the text as it is, with every mention listed."""
    left = (
        Place(path, line_of(text, at.start), text[at.start : at.end], becomes(at.name))
        for at in mentions_in(text, known.old)
    )
    return Mentions(text, (), tuple(left))


def list_python_texts(path: str, text: str, known: Known) -> Iterator[Place]:
    """Yield what the texts of a module say of the old tools: prompts, calls by name, logs."""
    if not any(mentions_in(text, known.old)):
        return
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for mention in mentions_in(node.value, known.old):
                is_sure = mention.name not in _SHARED_NAMES or mention.server
                if is_sure or node.value[mention.end : mention.end + 1] == "(":
                    line = node.lineno + node.value.count("\n", 0, mention.start)
                    what = node.value[mention.start : mention.end]
                    yield Place(path, line, what, f"in a text; {becomes(mention.name)}")
