"""Git repositories for tests: made, committed to and cloned, by an author who never was."""

import os
import subprocess
from pathlib import Path

NOON = "2026-03-14T12:00:00Z"


def git(folder: Path, *arguments: str, date: str = NOON) -> None:
    """Run git in a repository."""
    identity = {"NAME": "Ada", "EMAIL": "ada@example.org", "DATE": date}
    environment = {
        f"GIT_{who}_{what}": said
        for who in ("AUTHOR", "COMMITTER")
        for what, said in identity.items()
    }
    subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env=os.environ | environment,
        check=True,
        capture_output=True,
    )


def commit(folder: Path, text: str = "x") -> None:
    """Commit whatever there is, and a file that says `text`."""
    (folder / "file").write_text(text, encoding="utf-8")
    git(folder, "add", ".")
    git(folder, "commit", "--message", text)


def new_repository(folder: Path) -> Path:
    """Make a repository with one commit, unlike any other."""
    folder.mkdir()
    git(folder, "init", "--quiet")
    commit(folder, folder.name)
    return folder


def clone(origin: Path, name: str, *options: str) -> Path:
    """Clone a repository beside itself."""
    git(origin, "clone", "--quiet", *options, origin.as_uri(), str(origin.parent / name))
    return origin.parent / name
