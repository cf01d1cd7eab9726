"""The git probe: a commit exists, nothing is uncommitted, or which files changed since when.

Only files below the project's root count. An uncommitted change counts for a phase if the file was
written since the phase began, by the time of its content or of its entry in the file system,
whichever is later: the second cannot be set back.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from mcp_server.errors import quoted
from mcp_server.gates.observation import LookFailedError, LookUnavailableError
from mcp_server.gates.probe_settings import GitSettings
from mcp_server.gates.probes.git_head import read_head
from mcp_server.gates.probes.git_tree import AGAIN, OBJECT_ID, Git, has_git, work_tree
from mcp_server.gates.probes.look import Found, Look
from mcp_server.gates.probes.values import by_type

_SHOWN = 5
_SIGNS = frozenset("*?[")

_ABBREVIATED = re.compile(r"[0-9A-Fa-f]{7,64}")
# What git check-ref-format allows; HEAD and (abbreviated) object ids fit as well.
_NAME = re.compile(
    r"(?!-|@\Z)(?!.*(?:\.\.|@\{|//|/\.|\.lock(?:/|\Z)))"
    r"[^\x00-\x20\x7f~^:?*\[\\./\ud800-\udfff]"
    r"[^\x00-\x20\x7f~^:?*\[\\\ud800-\udfff]{0,199}(?<![./])"
)


def look_git(settings: GitSettings, look: Look) -> Found:
    """Look whether a commit exists, whether the tree is clean, or which files changed."""
    try:
        return _CHECKS[settings.check](settings, look)
    except LookUnavailableError as error:
        # A repository that was there when the phase began must not be got round by breaking it.
        error.final = look.facts.commit is not None or look.facts.first_commit is not None
        raise
    except OSError as error:
        raise LookUnavailableError(
            f"git cannot be asked: {error.strerror}",
            f"a person makes the repository and the folder for temporary files readable, {AGAIN}",
            final=True,
        ) from error


def head_commit(root: Path) -> str | None:
    """Return the full id of the commit that is checked out at `root`, None if there is none."""
    try:
        if not has_git():
            return None
        head = read_head(root)
        return head.commit if head is not None else Git(root).commit("HEAD")
    except (LookUnavailableError, OSError, ValueError):
        return None


def _commit(settings: GitSettings, look: Look) -> Found:
    claim = look.claim if isinstance(look.claim, str) else "HEAD"
    name = claim if settings.commit is None else look.filled(settings.commit)
    if not _NAME.fullmatch(name):
        raise LookFailedError(
            f"{quoted(name)} is not the name of a commit; submit the id that git log shows"
        )
    git = Git(look.files.root)
    found, head = git.commit(name), git.commit("HEAD")
    if found is None:
        raise LookFailedError(
            f"there is no commit {quoted(name)}, or several begin so; commit the work, then submit"
            " the id that git log shows"
        )
    if head is None or not git.holds(found, before=head):
        raise LookFailedError(
            f"the commit {quoted(name)} is not part of what is checked out; submit one that git"
            " log shows"
        )
    if look.type == "boolean":
        return Found(value=True)
    abbreviated = _ABBREVIATED.fullmatch(claim) and found.startswith(claim.lower())
    return Found(claim if abbreviated else found)


def _clean(_settings: GitSettings, look: Look) -> Found:
    with work_tree(look.files.root) as tree:
        uncommitted = tree.uncommitted()
    names = _as_text(uncommitted.tracked | uncommitted.new)
    if look.type in {"integer", "number", "list", "string"}:
        return Found(by_type(look, names=names))
    if names:
        raise LookFailedError(f"not committed: {_shown(names)}; commit these files or undo them")
    return Found(value=True)


def _changed(settings: GitSettings, look: Look) -> Found:
    committed, changed = _changes(settings, look)
    # What is committed stays a change while only the work tree takes it back.
    refused = _matching(committed | changed, settings.never or (), look)
    if refused:
        raise LookFailedError(
            f"changed since the {settings.since} began, and must not be: {_shown(refused)};"
            " undo these changes"
        )
    if settings.matching is None:
        return Found(by_type(look, names=_as_text(changed)))
    names = _matching(changed, settings.matching, look)
    if not names:
        raise LookFailedError(
            f"no file that matches {', '.join(settings.matching)[:200]} changed since the"
            f" {settings.since} began; what changed: {_shown(_as_text(changed)) or 'nothing'}"
        )
    return Found(by_type(look, names=names))


def _changes(settings: GitSettings, look: Look) -> tuple[set[str], set[str]]:
    """Return what HEAD, and what the work tree, has otherwise than when counting began."""
    of_phase = settings.since == "phase"
    base = look.facts.commit if of_phase else look.facts.first_commit
    if base is None:
        raise LookUnavailableError(
            f"no commit was checked out when the {settings.since} began, so there is nothing to"
            " compare with",
            "a person starts a new session in a git repository that has a commit",
        )
    with work_tree(look.files.root) as tree:
        if not OBJECT_ID.fullmatch(base) or tree.git.commit(base) is None:
            raise LookFailedError(
                f"the commit {base[:12]} of when the {settings.since} began is gone from the"
                " repository; bring it back (git reflog shows what it became)"
            )
        committed = tree.committed_since(base)
        changed = tree.changed_since(base, committed, look.facts.started if of_phase else None)
    return committed, changed


_CHECKS: Mapping[str, Callable[[GitSettings, Look], Found]] = {
    "commit": _commit,
    "clean": _clean,
    "changed": _changed,
}


def _matching(names: Iterable[str], globs: Iterable[str], look: Look) -> list[str]:
    filled = [_parts(look.glob(glob)) for glob in globs]
    return _as_text(name for name in names if any(_fits(name, parts) for parts in filled))


def _parts(glob: str) -> list[str]:
    """Return the parts of a glob; a folder that is named as it is means all that it holds."""
    parts = [part for part in glob.split("/") if part not in {"", "."}]
    whole = glob.endswith("/") or not _SIGNS & set(glob)
    return [*parts, "**"] if whole else parts


def _fits(name: str, glob: Sequence[str]) -> bool:
    """Return whether a glob matches, in time that grows with the name's parts and the glob's."""
    parts = name.split("/")
    reached = {0}
    for part in glob:
        if part == "**":
            reached = set(range(min(reached), len(parts) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(parts) and fnmatchcase(parts[at], part)}
        if not reached:
            return False
    return len(parts) in reached


def _as_text(names: Iterable[str]) -> list[str]:
    """Return the names sorted, with what is no UTF-8 in them replaced."""
    return sorted(os.fsencode(name).decode("utf-8", "replace") for name in names)


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(quoted(name) for name in names[:_SHOWN]) + more
