"""The signs that stand for phases, and others for terminals that are not UTF-8. Pure."""

from dataclasses import dataclass

MAX_CELLS = 24
"""Cells of a bar; a session of more phases is scaled down to it."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What stands for a phase in each standing, and for its cell in a bar."""

    completed: str
    overridden: str
    current: str
    refused: str
    paused: str
    ahead: str
    is_ascii: bool = False

    def of(self, standing: str) -> str:
        """Return the sign of a phase in this standing."""
        sign: str = getattr(self, standing)
        return sign


UNICODE = Signs("✓", "↷", "▶", "✗", "‖", "·")
ASCII = Signs("+", "^", ">", "x", "=", ".", is_ascii=True)

_FULL = {False: ("█", "▓", "░"), True: ("#", ">", ".")}
"""Cells of phases that are done, at work and ahead."""

STYLES = {
    "completed": "green",
    "overridden": "yellow",
    "current": "bold cyan",
    "refused": "red",
    "paused": "yellow",
    "ahead": "dim",
}
"""How each standing is coloured."""


def signs_for(encoding: str) -> Signs:
    """Return the signs that a terminal of this encoding has."""
    return UNICODE if encoding.lower().startswith("utf") else ASCII


def phase_bar(standings: list[str], signs: Signs) -> list[tuple[str, str]]:
    """Return a bar of the phases, a cell each as far as there is room, with the style of each."""
    full, half, empty = _FULL[signs.is_ascii]
    cells = {"completed": full, "overridden": full, "ahead": empty, "refused": signs.refused,
             "paused": signs.paused, "current": half}  # fmt: skip
    shown = _scaled(standings)
    return [(cells[standing], STYLES[standing]) for standing in shown]


def _scaled(standings: list[str]) -> list[str]:
    """Return at most MAX_CELLS of the standings; where the session stands is among them."""
    count = len(standings)
    if count <= MAX_CELLS:
        return standings
    picked = [standings[cell * count // MAX_CELLS] for cell in range(MAX_CELLS)]
    for position, standing in enumerate(standings):
        if standing in {"current", "refused", "paused"}:
            picked[position * MAX_CELLS // count] = standing
    return picked
