"""Which test case an author means: by its test file, or by its name.

Runners say where a test stands by a file, a class, a module or the title of a suite. What a report
names in full decides; a name without the leading folders (`pay.test_x` for `tests/pay/test_x.py`)
counts only where no file is named and nothing else answers to it.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from mcp_server.gates.probes.junit_report import Names, TestCase
from mcp_server.gates.probes.report_paths import (
    agrees_in_part,
    dotted,
    is_file,
    is_folder,
    project_path,
)

_PATH = re.compile(r"/|\.[a-z]{1,4}\Z")

_Naming = tuple[str, str, Names]


class AmbiguousError(Exception):
    """Several places in a report answer to one file."""

    def __init__(self, places: Sequence[str]) -> None:
        """Name the places."""
        super().__init__("several places answer to one file")
        self.places = places


class TestsOfFile:
    """Finds the test cases of one test file."""

    __test__ = False

    def __init__(self, target: str, root: Path) -> None:
        """Find those of the file at `target`, relative to `root`."""
        self._target = project_path(target, root)
        self._root = root
        self._alone = not is_folder(posixpath.splitext(self._target)[0], root)
        """Whether no folder bears the file's name: what follows the module's name is in it."""
        parts = self._target.split("/")
        self._tails = ["/".join(parts[begin:]) for begin in range(len(parts))]
        self._known: dict[_Naming, str | None] = {}
        self._known_suites: dict[Names, str | None] = {}

    def among(self, cases: Sequence[TestCase]) -> list[TestCase]:
        """Return those of `cases`; raises AmbiguousError."""
        answers = [self._answer(case) for case in cases]
        if self._target in answers:
            return [
                case for case, answer in zip(cases, answers, strict=True) if answer == self._target
            ]
        places = [place for place in dict.fromkeys(answers) if place is not None]
        if len(places) > 1:
            raise AmbiguousError(places)
        return [case for case, answer in zip(cases, answers, strict=True) if answer is not None]

    def _answer(self, case: TestCase) -> str | None:
        """Return by which path a case answers to the file: the whole, a part of it, or none."""
        # The case of a module that could not be collected has no class but the module's name.
        naming = (case.file, case.classname or case.name, case.suites)
        if naming not in self._known:
            self._known[naming] = self._answer_of(*naming)
        return self._known[naming]

    def _answer_of(self, file: str, label: str, suites: Names) -> str | None:
        place = project_path(file, self._root) if file else ""
        named = (self._answer_of_name(label, is_title=False), self._answer_of_suites(suites))
        if self._target in (place, *named):
            return self._target
        if file:
            return place if agrees_in_part(place, self._target, self._root) else None
        return named[0] or named[1] or self._tail_of(label)

    def _answer_of_suites(self, suites: Names) -> str | None:
        if not suites:
            return None
        if suites not in self._known_suites:
            name, around = suites
            own = self._answer_of_name(name, is_title="/" not in self._target)
            outer = self._answer_of_suites(around)
            self._known_suites[suites] = outer if outer == self._target else own or outer
        return self._known_suites[suites]

    def _answer_of_name(self, name: str, *, is_title: bool) -> str | None:
        """Return by which path a name answers; `tests` as a title is not the module `tests.py`."""
        if not name:
            return None
        path = project_path(name, self._root)
        module = not is_title and _is_of_module(name, self._target, functions=self._alone)
        if path == self._target or module:
            return self._target
        return path if agrees_in_part(path, self._target, self._root) else None

    def _tail_of(self, label: str) -> str | None:
        for tail in self._tails[1:]:
            if _is_of_module(label, tail, functions=False):
                # A file that is there is meant itself, not one with the same end elsewhere.
                return None if is_file(tail, self._root) else tail
        return None


def answers_to(case: TestCase, wanted: str, root: Path) -> bool:
    """Tell whether a case is the test that an author names, or one of its parameters."""
    base = case.name.partition("[")[0] if case.name.endswith("]") else ""
    for name in filter(None, (case.name, base)):
        if wanted == name:
            return True
        for separator in ("::", "."):
            owner = wanted.removesuffix(f"{separator}{name}")
            if owner and owner != wanted and _owns(owner, case, root):
                return True
    return False


def _owns(owner: str, case: TestCase, root: Path) -> bool:
    if _ends_with(case.classname, owner) or _ends_with(case.classname, owner.replace("::", ".")):
        return True
    head, *classes = owner.split("::")
    if not _PATH.search(head):
        return False
    tails = head.split("/")
    modules = (dotted("/".join(tails[begin:])) for begin in range(len(tails)))
    if case.classname in {".".join((module, *classes)) for module in modules}:
        return True
    same = bool(case.file) and project_path(case.file, root) == project_path(head, root)
    return same and (not classes or _ends_with(case.classname, ".".join(classes)))


def _ends_with(classname: str, end: str) -> bool:
    return classname == end or classname.endswith((f".{end}", f"::{end}", f"${end}"))


def _is_of_module(name: str, path: str, *, functions: bool) -> bool:
    """Tell whether `name` is the module at `path`, or a class in it.

    With `functions` anything may be in it; else `tests.shop.test_x` is not in `tests.py`.
    """
    module = dotted(path)
    if name == module:
        return True
    if not name.startswith((f"{module}.", f"{module}$")):
        return False
    inner = re.split(r"[.$]", name[len(module) + 1 :])
    return functions or not any(part[:1].islower() for part in inner)


def _all(names: Names) -> Iterator[str]:
    while names:
        name, names = names
        yield name
