"""`watch`: a screen that is kept up to date, or a line for each change where there is no screen.

A frame is drawn over the last one, without clearing, and only when something has changed, the size
of the terminal has, or a second has passed.
"""

import sys
import time
from collections.abc import Callable

from rich.console import Console
from rich.live import Live

from mcp_server.viewing.board import AROUND, FRAME_COLUMNS, board, event_line, frame_rows
from mcp_server.viewing.keyboard import Keyboard, open_keyboard
from mcp_server.viewing.printing import print_json, print_plain, print_table, tell_warnings
from mcp_server.viewing.signs import Signs, signs_for
from mcp_server.viewing.watcher import Look, Watcher

KEYS = "q to leave"
NO_KEYS = "Ctrl-C to leave"
_REDRAWN_SECONDS = 1.0


def watch_once(watcher: Watcher, console: Console, *, as_json: bool) -> int:
    """Print one frame and return the exit code."""
    look = watcher.look()
    frame = watcher.frame(look)
    tell_warnings(frame["warnings"])
    if as_json:
        print_json(console, frame)
    else:
        rows = frame_rows(watcher.watched(look), signs_for(console.encoding))
        print_table(console, FRAME_COLUMNS, rows)
    return 0


def watch_changes(
    watcher: Watcher,
    console: Console,
    interval: float,
    *,
    as_json: bool,
    wait: Callable[[float], None] = time.sleep,
) -> int:
    """Print each change as it happens, until it is interrupted; return the exit code."""
    told = set[str]()
    try:
        while True:
            look = watcher.look()
            tell_warnings([one for one in look.warnings if one not in told])
            told = set(look.warnings)
            for event in look.events:
                if as_json:
                    print_json(console, event, indent=None)
                else:
                    print_plain(console, event_line(event))
            wait(interval)
    except KeyboardInterrupt:
        return 0


def watch_screen(watcher: Watcher, console: Console, interval: float) -> int:
    """Keep a screen up to date until q is pressed or it is interrupted; return the exit code."""
    try:
        with open_keyboard() as keyboard:
            live = Live(console=console, screen=True, auto_refresh=False, transient=True)
            with live:
                _Screen(watcher, console, live).keep(keyboard, interval)
    except KeyboardInterrupt:
        pass
    return 0


class _Screen:
    """The screen while it is up."""

    def __init__(self, watcher: Watcher, console: Console, live: Live) -> None:
        self._watcher = watcher
        self._console = console
        self._live = live
        self._signs: Signs = signs_for(console.encoding)
        self._drawn: tuple[object, ...] = ()
        self._drawn_at = 0.0

    def keep(self, keyboard: Keyboard, interval: float) -> None:
        keys = KEYS if sys.stdin.isatty() else NO_KEYS
        while True:
            self._draw(self._watcher.look(), keys)
            if _leaves(keyboard.pressed(interval)):
                return

    def _draw(self, look: Look, keys: str) -> None:
        size = self._console.size
        seen = (tuple(look.sessions), look.verifying, tuple(look.warnings), size)
        now = time.monotonic()
        if seen == self._drawn and now - self._drawn_at < _REDRAWN_SECONDS:
            return
        room = max(size.height - AROUND, 1)
        watched = self._watcher.watched(look, room)
        frame = self._watcher.frame(look, room)
        screen = board(frame, watched, look.time, self._signs, keys=keys)
        self._live.update(screen, refresh=True)
        self._drawn, self._drawn_at = seen, now


def _leaves(keys: str) -> bool:
    # An arrow begins with Escape as well, and leaves nothing.
    return keys in {"\x1b", "\x03"} or "q" in keys.lower()
