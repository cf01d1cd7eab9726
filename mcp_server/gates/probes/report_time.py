"""When a report says that it was made: a file that is written anew may still tell of an old run.

A time that cannot be read proves nothing and is passed over: the file's own time is judged apart. A
time without a zone may be UTC or this machine's; it is stale only if it is so either way.
"""

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from mcp_server.gates.observation import LookFailedError
from mcp_server.gates.probes.files import TargetFile
from mcp_server.gates.probes.look import Look

ROUNDING = timedelta(seconds=1)
"""Writers cut their times to whole seconds."""

_EPOCH = re.compile(r"\d{9,19}(\.\d{1,9})?")
_SECONDS_END = 1e11
"""From here on a number counts milliseconds or less: as seconds it would be thousands of years."""
_DATE_ALONE = 10
_LONGEST = 40


def beginning(look: Look, *, fresh: bool) -> datetime | None:
    """Return since when what is reported must have run, None where any time will do."""
    return look.written_since or (look.facts.started if fresh else None)


def latest_reading(stamp: Any) -> datetime | None:
    """Return the latest moment that a report's time can mean, None if it cannot be read."""
    text = str(stamp).strip()
    try:
        if _EPOCH.fullmatch(text):
            return _from_epoch(float(text))
        if isinstance(stamp, str) and len(text) <= _LONGEST:
            return _from_iso(text)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def require_recent(file: TargetFile, stamps: Iterable[Any], since: datetime | None) -> None:
    """Refuse a report with a time of its own that lies before `since`; raises LookFailedError."""
    if since is None:
        return
    times = [moment for stamp in stamps if (moment := latest_reading(stamp)) is not None]
    if times and (oldest := min(times)) < since - ROUNDING:
        raise LookFailedError(
            f"{file.path} is stale: by its own timestamp it tells of a run at"
            f" {oldest:%Y-%m-%d %H:%M:%S} UTC, before {since.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
            " UTC; run it again",
            file.source,
        )


def _from_epoch(number: float) -> datetime:
    while number >= _SECONDS_END and math.isfinite(number):
        number /= 1000
    return datetime.fromtimestamp(number, UTC)


def _from_iso(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if len(text) <= _DATE_ALONE:
        moment += timedelta(days=1)
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    # An hour that a change of clocks repeats is read as its second occurrence too.
    readings = (
        moment.replace(tzinfo=UTC),
        moment.astimezone(),
        moment.replace(fold=1).astimezone(),
    )
    return max(readings).astimezone(UTC)
