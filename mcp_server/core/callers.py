"""Who calls, and which sessions they may know of. Pure.

On a machine of one's own a caller sees every session. Over a network a session belongs to whoever
started it: for anybody else it does not exist, and what they are told is word for word what they
are told of one that never was.
"""

from dataclasses import dataclass

from mcp_server.core.models import SessionState, SessionSummary

Owned = SessionState | SessionSummary


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who calls: the name that the journal bears, and whether only their own is shown."""

    name: str
    confined: bool = False

    def may_see(self, session: Owned) -> bool:
        """Tell whether the caller may know of a session."""
        return not self.confined or session.owner == self.name


LOCAL = Caller("local")
"""Whoever runs the server, where nobody said who that is."""
