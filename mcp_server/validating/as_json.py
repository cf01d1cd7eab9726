"""A report as JSON, for programs."""

import json
from typing import Any

from mcp_server.validating.outcomes import SUBJECTS, Report, Standing


def to_json(report: Report) -> str:
    """Return the report as one JSON object on several lines."""
    return json.dumps(as_data(report), indent=2)


def as_data(report: Report) -> dict[str, Any]:
    """Return the report as plain data."""
    memory = report.memory
    return {
        "holds": report.holds,
        "server": report.server,
        "protocol": report.protocol,
        "actions": [_subject(report, subject) for subject in SUBJECTS],
        "memory": {
            "server_bytes": memory.server,
            "bare_bytes": memory.bare,
            "over_bytes": memory.over,
            "limit_bytes": memory.limit,
            "verdict": memory.verdict,
            **({"reason": memory.reason} if memory.reason else {}),
        },
        "left_behind": list(report.left_behind),
    }


def _subject(report: Report, subject: str) -> dict[str, Any]:
    checks = report.about(subject)
    shown: dict[str, Any] = {
        "name": subject,
        "checks": {
            str(standing).replace(" ", "_"): sum(check.standing is standing for check in checks)
            for standing in Standing
        },
        "problems": [
            {"check": check.name, "standing": str(check.standing), "problem": check.problem}
            for check in checks
            if check.problem
        ],
    }
    if (timing := report.timing(subject)) is not None:
        shown["time"] = {
            "calls": len(timing.seconds),
            "median_ms": _milliseconds(timing.median),
            "max_ms": _milliseconds(timing.slowest),
            "target_ms": _milliseconds(timing.target.limit),
            "alert_ms": _milliseconds(timing.target.alert),
            "verdict": str(timing.pace),
        }
    return shown | {"verdict": str(report.verdict(subject))}


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1_000, 3)
