"""Bars for terminals: as wide as there is room, in blocks or, where there are none, in signs.

Pure: what the terminal can show is asked of the options that it renders with.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from rich.bar import Bar
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

WIDEST = 40
_NARROWEST = 4


@dataclass(frozen=True, slots=True)
class ChartBar:
    """A bar of `share`, from 0 to 1, of the room that there is; anything above 0 is seen."""

    share: float

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the bar."""
        width = min(options.max_width, WIDEST)
        if options.ascii_only or options.legacy_windows:
            yield Text("#" * math.ceil(self.share * width))
        else:
            # The least that a block can show is an eighth of a column.
            share = max(self.share, 1 / (8 * width)) if self.share else 0.0
            yield Bar(size=1, begin=0, end=share, width=width, color="cyan")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Take what there is."""
        return Measurement(_NARROWEST, max(min(options.max_width, WIDEST), _NARROWEST))


def bars(values: list[int]) -> Iterator[ChartBar]:
    """Return a bar for each of `values`, the largest over the whole width."""
    most = max(values, default=0)
    return (ChartBar(value / most if most else 0.0) for value in values)
