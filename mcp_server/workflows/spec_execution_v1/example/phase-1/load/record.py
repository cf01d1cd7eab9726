"""Load test of NFR-001: what recording adds to a call, at 300 calls per second.

Run it as `PYTHONPATH=src python load/record.py [seconds]`; it writes reports/load.json.
"""

import json
import sqlite3
import sys
import time
from pathlib import Path

from api.middleware import handle
from billing.recorder import Recorder

ROOT = Path(__file__).parent.parent
RATE = 300


def p95(seconds: int, recorder: Recorder | None) -> float:
    """Return the 95th percentile of what a call takes, in milliseconds."""
    times = []
    for number in range(seconds * RATE):
        begun = time.perf_counter()
        handle("acme", "/parcels", lambda: 200, key=str(number), recorder=recorder)
        times.append((time.perf_counter() - begun) * 1000)
        if recorder and number % RATE == 0:
            recorder.flush()
        time.sleep(max(0.0, begun + 1 / RATE - time.perf_counter()))
    return sorted(times)[int(len(times) * 0.95)]


def main() -> None:
    """Compare calls with and without recording."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    database = sqlite3.connect(":memory:")
    database.executescript((ROOT / "migrations" / "0001_usage_events.up.sql").read_text())
    without, recording = p95(seconds, None), p95(seconds, Recorder(database))
    figures = {"calls_per_second": RATE, "seconds": seconds, "without_ms_p95": round(without, 3),
               "with_ms_p95": round(recording, 3),
               "added_ms_p95": round(max(0.0, recording - without), 3)}  # fmt: skip
    (ROOT / "reports").mkdir(exist_ok=True)
    (ROOT / "reports" / "load.json").write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
