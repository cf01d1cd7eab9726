"""What git knows of a work tree, asked so that the repository cannot bend the answers.

Nothing that the repository's configuration names is run (hooks, file system monitors, filters,
external diffs, fetching of missing objects), replaced objects and grafts are not followed, and all
is read from a copy of the index in which no file is hidden from comparison. The repository itself
is never written to. Names are as the file system gives them.
"""

import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO, NamedTuple

from mcp_server.errors import quoted
from mcp_server.gates.observation import LookUnavailableError
from mcp_server.gates.probes.files import clock_grain

LIMIT = 10.0
"""Seconds that one git command may take."""
MAX_OUTPUT = 64 * 1024 * 1024
MAX_FILES = 100_000
"""Files that a repository inside the repository may hold."""

OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
AGAIN = "then complete the phase again"

_STATE = ".praxis-os/state"
_PERSONAL = frozenset({"system", "global"})
"""Scopes of configuration that are not the repository's."""

_KEPT = ("HOME", "XDG_CONFIG_HOME", "USERPROFILE", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP")
_ENVIRONMENT = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "LC_ALL": "C",
}
_OPTIONS = (
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "core.pager=cat",
    "core.quotepath=off",
    "core.safecrlf=false",
    "core.untrackedCache=false",
    # The next three keep a file whose time was set back from passing as unchanged, and one that was
    # only touched from passing as changed.
    "core.checkStat=default",
    "core.trustctime=true",
    "diff.autoRefreshIndex=true",
    "diff.external=",
    "diff.relative=false",
    "safe.bareRepository=explicit",
)
_DIFF = ("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv")
_STATUS = ("status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames")
# git would look into submodules by a process that obeys their configuration; we look ourselves.
_MODULES_APART = "--ignore-submodules=dirty"

_REASONS = {
    "not a git repository": (
        "the project is not in a git repository",
        f"a person makes it one with git init and a first commit, {AGAIN}",
    ),
    "dubious ownership": (
        "git does not read the repository, because it belongs to another user",
        f"whoever runs the server does git config --global --add safe.directory FOLDER, {AGAIN}",
    ),
}


class Answer(NamedTuple):
    """What git answered on standard output, and its exit code."""

    code: int
    output: bytes

    def names(self) -> list[str]:
        """Return what stands between zero bytes, as the file system writes it."""
        return [os.fsdecode(name) for name in self.output.split(b"\0") if name]

    def line(self) -> str:
        """Return the one thing that was answered."""
        return os.fsdecode(self.output.removesuffix(b"\n"))


@dataclass(frozen=True, slots=True)
class Git:
    """The git program, to be asked in one folder."""

    root: Path
    options: tuple[str, ...] = _OPTIONS
    index: Path | None = None

    def ask(self, *arguments: str, accept: Collection[int] = (0,), given: bytes = b"") -> Answer:
        """Return the answer to a git command; raises LookUnavailableError."""
        options = [part for option in self.options for part in ("-c", option)]
        program, path = _program()
        if program is None:
            raise LookUnavailableError("there is no git", f"a person installs git, {AGAIN}")
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        environment = kept | _ENVIRONMENT | {"PATH": path}
        if self.index is not None:
            environment["GIT_INDEX_FILE"] = str(self.index)
        command = [program, "--no-pager", *options, "-C", str(self.root), *arguments]
        answer, said = _run(command, environment, given)
        if answer.code in accept:
            return answer
        for text, (reason, remedy) in _REASONS.items():
            if text in said:
                raise LookUnavailableError(reason, remedy)
        raise LookUnavailableError(
            f"git {arguments[0]} ended with code {answer.code}",
            f"run git status in the project to see what is wrong with the repository, {AGAIN}",
        )

    def commit(self, name: str) -> str | None:
        """Return the full id of the commit that `name` stands for, None if there is none."""
        peeled = f"{name}^{{commit}}"
        said = self.ask(
            "rev-parse", "--verify", "--quiet", "--end-of-options", peeled, accept=(0, 1)
        )
        return said.line() if OBJECT_ID.fullmatch(said.line()) else None

    def holds(self, commit: str, *, before: str) -> bool:
        """Return whether `commit` is `before` or one of its ancestors."""
        return self.ask("merge-base", "--is-ancestor", commit, before, accept=(0, 1)).code == 0

    def without_filters(self) -> "Git":
        """Return the same with the filters put aside that the repository's configuration names."""
        asked = ("config", "-z", "--show-scope", "--name-only", "--get-regexp", r"^filter\.")
        told = self.ask(*asked, accept=(0, 1)).names()
        keys = [
            key for scope, key in zip(told[::2], told[1::2], strict=True) if scope not in _PERSONAL
        ]
        filters = sorted({key.rpartition(".")[0] for key in keys})
        if any("=" in name for name in filters):
            raise LookUnavailableError(
                "the repository's configuration has a filter with = in its name",
                f"a person removes it from .git/config, {AGAIN}",
            )
        aside = (
            f"{name}.{setting}"
            for name in filters
            for setting in ("clean=", "smudge=", "process=", "required=false")
        )
        return replace(self, options=(*self.options, *aside))


def has_git() -> bool:
    """Tell whether there is a git to be asked."""
    return _program()[0] is not None


def _program() -> tuple[str | None, str]:
    """Return the git program, if there is one, and where programs are looked for."""
    path = os.pathsep.join(filter(os.path.isabs, os.environ.get("PATH", "").split(os.pathsep)))
    program = shutil.which("git", path=path)
    # Windows looks into the working directory first, which may be the project.
    return (program if program and Path(program).is_absolute() else None), path


def _run(
    command: Sequence[str], environment: Mapping[str, str], given: bytes
) -> tuple[Answer, str]:
    """Return the answer and what was said on standard error; raises LookUnavailableError."""
    with (
        tempfile.TemporaryFile() as source,
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
    ):
        source.write(given)
        source.seek(0)
        try:
            code = _exit_code(command, environment, (source, output, errors))
        except subprocess.TimeoutExpired as error:
            raise LookUnavailableError(
                f"git did not answer within {LIMIT:g} seconds",
                f"run git status in the project to see what takes so long, {AGAIN}",
            ) from error
        if output.seek(0, os.SEEK_END) > MAX_OUTPUT:
            raise LookUnavailableError(
                f"git answered with over {MAX_OUTPUT} bytes",
                f"let .gitignore name the folders that tools fill, {AGAIN}",
            )
        output.seek(0)
        errors.seek(0)
        return Answer(code, output.read()), errors.read(10_000).decode(errors="replace")


def _exit_code(
    command: Sequence[str],
    environment: Mapping[str, str],
    streams: tuple[IO[bytes], IO[bytes], IO[bytes]],
) -> int:
    source, output, errors = streams
    with subprocess.Popen(  # noqa: S603 - no shell, and every argument is ours or validated
        command,
        stdin=source,
        stdout=output,
        stderr=errors,
        env=environment,
        start_new_session=True,
    ) as process:
        try:
            return process.wait(timeout=LIMIT)
        finally:
            if process.poll() is None:
                _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process with all that it started."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


class Uncommitted(NamedTuple):
    """Files that no commit holds as they are."""

    tracked: set[str]
    new: set[str]
    """Untracked files, and what is uncommitted in submodules: no comparison of commits shows it."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The files below the project's root, as git sees them; all names are relative to the root."""

    git: Git
    prefix: str
    """Where the root is in the repository: empty, or ending with a slash."""
    modules: tuple[str, ...]

    def uncommitted(self) -> Uncommitted:
        """Return the files that differ from HEAD, and those that git does not know."""
        entries = self.git.ask(*_STATUS, _MODULES_APART, "--", ".").names()
        tracked = self._below_root(entry[3:] for entry in entries if not entry.startswith("??"))
        untracked = self._below_root(entry[3:] for entry in entries if entry.startswith("??"))
        new = {name for name in untracked if not name.endswith("/")}
        for folder in untracked - new:
            new |= _files_below(self.git.root, folder)
        for module in self.modules:
            with work_tree(self.git.root / module) as inner:
                new |= {f"{module}/{name}" for names in inner.uncommitted() for name in names}
        return Uncommitted(_counted(tracked), _counted(new))

    def committed_since(self, base: str) -> set[str]:
        """Return the files that differ between the commit `base` and HEAD."""
        head = self.git.commit("HEAD")
        return self._differing(base, head) if head is not None else set()

    def changed_since(self, base: str, committed: set[str], since: datetime | None) -> set[str]:
        """Return the files that differ from `base`; with `since`, not those left alone since."""
        candidates = self._differing(base) | self.uncommitted().new
        if since is None:
            return candidates
        earliest = (since - clock_grain()).timestamp()
        return {
            name
            for name in candidates
            if name in committed or _written(self.git.root / name) >= earliest
        }

    def _differing(self, *commits: str) -> set[str]:
        asked = self.git.ask(*_DIFF, _MODULES_APART, *commits, "--", ".")
        return _counted(self._below_root(asked.names()))

    def _below_root(self, names: Iterable[str]) -> set[str]:
        return {name.removeprefix(self.prefix) for name in names if name.startswith(self.prefix)}


def _counted(names: Iterable[str]) -> set[str]:
    """Return the names that are not the server's own state."""
    return {name for name in names if not f"{name}/".startswith(f"{_STATE}/")}


@contextmanager
def work_tree(root: Path) -> Iterator[Tree]:
    """Show the work tree at `root` by a copy of its index; raises LookUnavailableError."""
    git = Git(root)
    if git.ask("rev-parse", "--is-inside-work-tree").line() != "true":
        raise LookUnavailableError(
            "the repository's work tree is not where the project is",
            f"a person removes core.worktree and core.bare from .git/config, {AGAIN}",
        )
    prefix = git.ask("rev-parse", "--show-prefix").line()
    if prefix and git.ask("check-ignore", "--quiet", ".", accept=(0, 1)).code == 0:
        raise LookUnavailableError(
            "the project lies in a git repository that ignores it",
            f"a person makes the project a repository of its own with git init, {AGAIN}",
        )
    with tempfile.TemporaryDirectory(prefix="aos-workflow-") as folder:
        copy = Path(folder, "index")
        index = root / git.ask("rev-parse", "--git-path", "index").line()
        # The copy keeps the time: git compares files that are as young as the index by content.
        with suppress(FileNotFoundError):
            shutil.copy2(index, copy)
        git = replace(git.without_filters(), index=copy)
        yield Tree(git, prefix, _modules(git, _unhidden(git)))


def _unhidden(git: Git) -> list[tuple[str, str]]:
    """Let git compare all files that are there; return the mode and name of each entry."""
    entries = []
    hidden: dict[str, list[str]] = {"--no-assume-unchanged": [], "--no-skip-worktree": []}
    for entry in git.ask("ls-files", "-s", "-v", "-z").names():
        described, _, name = entry.partition("\t")
        tag, mode = described.split(" ")[:2]
        entries.append((mode, name))
        if tag.islower():
            hidden["--no-assume-unchanged"].append(name)
        # A sparse checkout leaves files out in the same way, but those are not there.
        if tag in "Ss" and os.path.lexists(git.root / name):
            hidden["--no-skip-worktree"].append(name)
    for option, names in hidden.items():
        if names:
            given = b"".join(os.fsencode(name) + b"\0" for name in names)
            git.ask("update-index", option, "-z", "--stdin", given=given)
    return entries


def _modules(git: Git, entries: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return the submodules that are checked out, none of them by way of a link."""
    folders = {name: git.root / name for mode, name in entries if mode == "160000"}
    return tuple(
        name
        for name, folder in folders.items()
        if (folder / ".git").exists() and folder.resolve() == git.root.resolve() / name
    )


def _files_below(root: Path, folder: str) -> set[str]:
    """Return the files of a repository that lies untracked inside the repository."""
    found: set[str] = set()
    for place, folders, files in os.walk(root / folder):
        folders[:] = [name for name in folders if name != ".git"]
        links = [name for name in folders if Path(place, name).is_symlink()]
        found |= {Path(place, name).relative_to(root).as_posix() for name in (*files, *links)}
        if len(found) > MAX_FILES:
            raise LookUnavailableError(
                f"the repository in {quoted(folder)} holds over {MAX_FILES} files",
                f"let .gitignore name it, {AGAIN}",
            )
    return found


def _written(path: Path) -> float:
    """Return when a file was last written; one that is gone, or a folder, counts as right now."""
    try:
        status = path.lstat()
    except OSError:
        return float("inf")
    return float("inf") if stat.S_ISDIR(status.st_mode) else max(status.st_mtime, status.st_ctime)
