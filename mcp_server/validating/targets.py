"""How fast an answer must come, and how much memory a server may take. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from mcp_server.core.transitions import Action

MEMORY_LIMIT = 100_000_000
"""Bytes of resident memory over those of a bare server of the SDK with one tool."""


@dataclass(frozen=True, slots=True)
class Target:
    """What the median of an action must stay below, and from where it is alarming, in seconds."""

    limit: float
    alert: float | None = None

    def times(self, factor: float) -> "Target":
        """Return the target for a machine that is slower by a factor."""
        return Target(self.limit * factor, self.alert and self.alert * factor)


_OTHERS = Target(0.2)

TARGETS: Mapping[Action, Target] = dict.fromkeys(Action, _OTHERS) | {
    Action.LIST_WORKFLOWS: Target(0.1, alert=0.2),
    Action.START: Target(0.5, alert=1.0),
}
