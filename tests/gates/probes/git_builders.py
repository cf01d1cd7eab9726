"""Git repositories to look at, made with nobody's configuration but their own."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcp_server.gates.probe_settings import GitSettings, parse_probe
from mcp_server.gates.probes.git import look_git
from tests.gates.probes.probe_builders import look_at

_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in (("NAME", "Somebody"), ("EMAIL", "somebody@example.org"))
    },
}


def git(root: Path, *arguments: str) -> str:
    """Run git at `root` and return what it prints."""
    allowed = ("-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main")
    return subprocess.run(
        ["git", *allowed, *arguments],
        cwd=root,
        env={"PATH": os.environ["PATH"], **_ENVIRONMENT},
        check=True,
        capture_output=True,
        encoding="utf-8",
    ).stdout.strip()


def write(root: Path, *names: str, text: str = "new\n") -> None:
    """Write the files, with their folders."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def commit(root: Path, *names: str, text: str = "new\n") -> str:
    """Write the files, commit all there is and return the commit's id."""
    write(root, *names, text=text)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "work")
    return git(root, "rev-parse", "HEAD")


def repository(root: Path, *names: str) -> str:
    """Make a repository with the files at `root`; return the id of its one commit."""
    root.mkdir(parents=True, exist_ok=True)
    git(root, "init", "--quiet")
    return commit(root, *names, text="old\n")


def look(root: Path, verify: Any, **looked: Any) -> Any:
    """Return the value that the git probe finds."""
    settings = parse_probe({"git": verify} if not isinstance(verify, Mapping) else verify)
    assert isinstance(settings, GitSettings)
    found = look_git(settings, look_at(root, **looked))
    assert found.sources == ()
    return found.value


def changed(root: Path, base: str | None, **settings: Any) -> Any:
    """Return the files that changed since `base`."""
    looked = {key: settings.pop(key) for key in ("type", "started") if key in settings}
    verify = {"git": "changed", **settings}
    return look(root, verify, **{"type": "list", "commit": base, "first_commit": base, **looked})
