"""Lists of tools that a client may use, must ask about, or must not use: what becomes of one. Pure.

The old entries go, and one entry of `aos_workflow` stands in for those that it does the work of. A
list that forbids is rewritten only if it forbids all of these: `aos_workflow` is one tool, and must
not be forbidden for the sake of a part.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mcp_server.cutover.calls import EQUIVALENTS
from mcp_server.cutover.findings import NEW_TOOL
from mcp_server.cutover.prose_mentions import Known, Mention, mentions_in

FORBIDDING = frozenset({"deny", "disabledTools", "excludeTools", "disallowedTools",
                        "disallowed-tools", "exclude", "blocklist"})  # fmt: skip
LISTS = FORBIDDING | {
    "allow", "ask", "autoApprove", "alwaysAllow", "enabledTools", "includeTools", "trustedTools",
    "allowedTools", "allowed-tools", "allowed_tools", "tools", "autoApproved", "include",
    "coreTools", "allowlist",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class NewList:
    """A list as it becomes: for each entry its new text, or None where it goes."""

    entries: tuple[str | None, ...]
    problem: str = ""


def mention_of(entry: str, known: Known) -> Mention | None:
    """Return the old tool that a whole entry names, if it does and is of a server that is meant."""
    for mention in mentions_in(entry, known.old):
        whole = (mention.start, mention.end) == (0, len(entry))
        if whole and (not mention.server or mention.server in known.servers):
            return mention
    return None


def renewed(key: str, entries: Sequence[str], known: Known, *, bare: bool) -> NewList | None:
    """Return what becomes of a list of tools; None if it names no old one.

    `bare` says whether an entry without a server's name is certain to be of the server meant.
    """
    found = {at: mention for at, entry in enumerate(entries)
             if (mention := mention_of(entry, known)) and (mention.server or bare)}  # fmt: skip
    if not found:
        return None
    names = {mention.name for mention in found.values()}
    served = set(EQUIVALENTS) & set(known.old)
    if key in FORBIDDING and names & served and not served <= names:
        return NewList(
            tuple(entries), f"forbids some of the old tools only; {NEW_TOOL} is one for all"
        )
    new: list[str | None] = []
    for at, entry in enumerate(entries):
        if at not in found:
            new.append(entry)
            continue
        stand_in = entry.removesuffix(found[at].name) + NEW_TOOL
        wanted = found[at].name not in known.old or _stands_in(found, entries, at)
        new.append(stand_in if wanted and stand_in not in {*new, *entries} else None)
    return NewList(tuple(new))


def _stands_in(found: dict[int, Mention], entries: Sequence[str], at: int) -> bool:
    """Tell whether an entry is the first of its server whose work `aos_workflow` does."""
    prefix = entries[at].removesuffix(found[at].name)
    same = [
        number
        for number, mention in found.items()
        if entries[number].removesuffix(mention.name) == prefix and mention.name in EQUIVALENTS
    ]
    return bool(same) and at == same[0]
