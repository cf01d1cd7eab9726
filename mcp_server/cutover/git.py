"""What git says of a project: which files it ignores, and what is not committed.

Outside of a repository nothing is ignored and nothing is uncommitted. Where there is one and git
tells nothing, that counts as uncommitted. The project is somebody else's: nothing that its git
configuration names is started.
"""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

_SAFE = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
_TIME_LIMIT = 60.0


def ignored(root: Path, paths: Sequence[str]) -> frozenset[str]:
    """Return those of `paths` that git ignores; none if it ignores the whole project."""
    if not paths or _run(root, ["check-ignore", "-q", "."]) is not None:
        return frozenset()
    answer = _run(root, ["check-ignore", "-z", "--stdin"], "\0".join(paths))
    return frozenset((answer or "").split("\0")) - {""}


def uncommitted(root: Path) -> tuple[str, ...]:
    """Return what is changed or new under `root` and not committed, as git words it."""
    answer = _run(root, ["status", "--porcelain", "--untracked-files=all", "--", "."])
    if answer is None:
        is_one = any((folder / ".git").exists() for folder in (root, *root.parents))
        return ("what git does not tell",) if is_one else ()
    return tuple(line for line in answer.splitlines() if ".praxis-os/backups/" not in line)


def _run(root: Path, arguments: Sequence[str], given: str = "") -> str | None:
    """Return what git answers; None where it fails."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603 - fixed words and a folder
            ["git", *_SAFE, "-C", str(root), *arguments],  # noqa: S607 - the user's own git
            input=given.encode("utf-8", "surrogateescape"),
            capture_output=True,
            env=environment | {"GIT_OPTIONAL_LOCKS": "0"},
            timeout=_TIME_LIMIT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    return done.stdout.decode("utf-8", "surrogateescape")
