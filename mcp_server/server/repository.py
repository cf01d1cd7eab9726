"""Which repository a project is, whatever folder a clone of it lies in.

A clone shares its first commit with every other clone, and with nothing else; a remote's address
does not say as much, for clones of clones name a folder, and one repository has many addresses.
Forks are taken for the repository that they come from. A project below the root of its repository
is told by where it lies in it.
"""

from pathlib import Path

from mcp_server.gates.observation import LookUnavailableError
from mcp_server.gates.probes.git_tree import OBJECT_ID, Git


def identity_of(root: Path) -> str | None:
    """Return the identity of the repository at `root`; None if it has no first commit to see."""
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return None
    git = Git(root)
    try:
        # The first commit that a shallow clone has is not the repository's.
        if git.ask("rev-parse", "--is-shallow-repository").line() == "true":
            return None
        told = git.ask("log", "--max-parents=0", "--format=%ct %H", "HEAD").output
        prefix = git.ask("rev-parse", "--show-prefix").line()
    except (LookUnavailableError, OSError, ValueError):
        return None
    # Histories that were joined have several: the oldest stays the same whatever joins later.
    lines = map(str.split, told.decode("ascii").splitlines())
    firsts = sorted((int(time), commit) for time, commit in lines)
    if not firsts or not OBJECT_ID.fullmatch(firsts[0][1]):
        return None
    below = prefix.rstrip("/")
    return f"{firsts[0][1]}:{below}" if below else firsts[0][1]
