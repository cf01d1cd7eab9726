"""One definition under inspection: its files, each read once, and the problems found in them.

Nothing outside of the boundary is read, whatever links say; whatever cannot be read is a problem
that is told once.
"""

from pathlib import Path

from mcp_server.core.definition_files import MAX_FILE, Place
from mcp_server.linting.problems import Problem, Severity


class Ground:
    """Where checks read, and where they leave what they find."""

    def __init__(self, place: Place) -> None:
        """Look at the definition at `place`."""
        self.name = place.name
        self.folder = place.folder
        self.boundary = place.shelf.boundary
        self.problems: list[Problem] = []
        self._shelf = place.shelf
        self._texts: dict[Path, str | None] = {}
        self._outside: set[Path] = set()

    @property
    def has_errors(self) -> bool:
        """Whether anything so far keeps the definition from working."""
        return any(problem.is_error for problem in self.problems)

    def shown(self, path: Path) -> str:
        """Return how people are told about a file: never by its absolute path."""
        inner = path.relative_to(self._shelf.folder).as_posix()
        return f"{self._shelf.label}/{inner}" if self._shelf.label else inner

    def error(
        self, path: Path, code: str, message: str, remedy: str, line: int | None = None
    ) -> None:
        """Keep an error."""
        self._keep(Problem(Severity.ERROR, self.shown(path), line, code, message, remedy))

    def warn(
        self, path: Path, code: str, message: str, remedy: str, line: int | None = None
    ) -> None:
        """Keep a warning."""
        self._keep(Problem(Severity.WARNING, self.shown(path), line, code, message, remedy))

    def read(self, path: Path) -> str | None:
        """Return the text of a file, or None with the reason among the problems."""
        if path not in self._texts:
            self._texts[path] = self._read(path) if self.is_inside(path) else None
        return self._texts[path]

    def entries(self, folder: Path) -> list[Path]:
        """Return what is in a folder, by name; nothing, and the reason told, if it cannot be."""
        try:
            return sorted(folder.iterdir())
        except OSError as error:
            self._unreadable(folder, error)
            return []

    def is_inside(self, path: Path) -> bool:
        """Tell whether a path stays within the boundary; if not, that is an error, told once."""
        try:
            inside = self.holds(path)
            reason = "a link leads out of the project"
        except (OSError, RuntimeError):
            inside, reason = False, "a link leads back to itself"
        if not inside and path not in self._outside:
            self._outside.add(path)
            remedy = "Put the file itself here instead of a link."
            self.error(path, "file/link", reason, remedy)
        return inside

    def holds(self, path: Path) -> bool:
        """Tell whether a path, its links followed, lies within the boundary."""
        return path.resolve().is_relative_to(self.boundary.resolve())

    def _read(self, path: Path) -> str | None:
        try:
            if not path.is_file():
                # Reading a pipe would wait for ever.
                path.stat()
                self.error(path, "file/kind", "is not a file", "Put a text file here.")
                return None
            size = path.stat().st_size
            if size > MAX_FILE:
                reason = f"{size} bytes, over {MAX_FILE}"
                self.error(path, "file/too-large", reason, "Shorten it, or split it.")
                return None
            return path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            self.error(path, "file/not-utf-8", "is not UTF-8", "Save the file as UTF-8.", line)
        except OSError as error:
            self._unreadable(path, error)
        return None

    def _unreadable(self, path: Path, error: OSError) -> None:
        reason = f"cannot be read: {error.strerror}"
        self.error(path, "file/unreadable", reason, "Make it readable, or remove it.")

    def _keep(self, problem: Problem) -> None:
        if problem not in self.problems:
            self.problems.append(problem)
