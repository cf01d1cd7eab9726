"""The cutover of a project's Python: old registrations out, `aos_workflow` in, as new texts.

    find     every registration of a tool (spellings), and which of them are old ones
    follow   what only they use, to a fixpoint (items, liveness)
    place    one registration of `aos_workflow` for each server (insertion), true counts (counts)
    write    edits of the text (removal, text_edits): what no edit names keeps its bytes

What cannot be told with certainty is not touched, and listed with its place and the reason. Pure.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mcp_server.cutover.findings import Place
from mcp_server.cutover.insertion import chosen, groups
from mcp_server.cutover.leftovers import Leftovers
from mcp_server.cutover.new_registration import (
    FUNCTIONS,
    Style,
    bridge_path,
    new_registration,
    registered_hosts,
)
from mcp_server.cutover.obsolete import Obsolete
from mcp_server.cutover.project import Project, words
from mcp_server.cutover.recounts import recounted
from mcp_server.cutover.rewriting import Changes, Rewriting
from mcp_server.cutover.selection import Selection
from mcp_server.cutover.spellings import Registration, Spellings

_REGISTERING = re.compile(r"\.\s*(add_)?tool\b")
_HINTING = re.compile(r"tool\w*\s*\(|regist|@[\w.]*tool|add_tool", re.IGNORECASE)
_TEST = re.compile(r"(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$")


@dataclass(frozen=True, slots=True)
class PythonPlan:
    """What becomes of a project's Python."""

    files: Mapping[str, str]
    """The new text of each changed module, and of each new one."""
    registrations: tuple[Place, ...]
    """The old tools that were found registered, each with its spelling."""
    left: tuple[Place, ...]
    """What is not certain and a person has to do, with the reason."""
    unparsed: tuple[Place, ...]
    """Modules that do not parse."""
    style: Style


def plan_python(
    sources: Mapping[str, str], old: Collection[str], *, style: Style, bridge: str = ""
) -> PythonPlan:
    """Return the new texts of the modules that register old tools, and what is left to do."""
    return _Planner(sources, frozenset(old), style, bridge).plan()


class _Planner:
    def __init__(
        self, sources: Mapping[str, str], old: frozenset[str], style: Style, bridge: str
    ) -> None:
        self._project = Project(sources)
        self._old = old
        self._style: Style = style
        self._bridge = bridge
        self._left: list[Place] = []
        self._files: dict[str, str] = {}

    def plan(self) -> PythonPlan:
        every = self._every_registration()
        selection = Selection(self._project, every, self._old)
        self._left += selection.left
        self._look_for_leftovers(every)
        if selection.old:
            self._rewrite(every, selection)
        mentioning = set(self._project.matching(words(self._old)))
        unparsed = (place for path, place in self._project.unparsed.items() if path in mentioning)
        return PythonPlan(
            MappingProxyType(self._files),
            tuple(_place(one) for one in selection.old),
            tuple(sorted(set(self._left), key=lambda place: (place.path, place.line, place.what))),
            tuple(unparsed),
            self._style,
        )

    def _every_registration(self) -> list[Registration]:
        found: list[Registration] = []
        for path in self._project.matching(_REGISTERING):
            module = self._project.module(path)
            if module is not None:
                found += Spellings(self._project, module).registrations()
        return found

    def _look_for_leftovers(self, every: list[Registration]) -> None:
        for path in self._project.matching(words(self._old)):
            if _TEST.search(path) or not _HINTING.search(self._project.sources[path]):
                continue
            module = self._project.module(path)
            if module is not None:
                self._left += Leftovers(self._project, module, self._old, every).places()

    def _rewrite(self, every: list[Registration], selection: Selection) -> None:
        obsolete = Obsolete(self._project, selection.old)
        gone = obsolete.nodes()
        self._left += obsolete.kept
        found = groups(selection.old)
        origins = {
            group: frozenset(o.key for one in group.registrations for o in selection.origins(one))
            for group in found
        }
        picked = chosen(found, origins, self._covered(selection))
        for module in obsolete.modules:
            here = [group for group in picked if group.module is module]
            changes = Changes(
                self._project,
                module,
                [one for one in every if one.module is module],
                [group for group in found if group.module is module],
                here,
                gone[module.path],
                new_registration(self._project, module, self._style),
            )
            rewriting = Rewriting(changes)
            self._put(module.path, rewriting.text())
            self._left += rewriting.left
            for recount in rewriting.recounts:
                self._left += recounted(self._project, recount)
            if here and self._style == "bridge":
                self._files[bridge_path(module)] = self._bridge

    def _put(self, path: str, text: str) -> None:
        mark = "\ufeff" if self._project.sources[path].startswith("\ufeff") else ""
        if mark + text != self._project.sources[path]:
            self._files[path] = mark + text

    def _covered(self, selection: Selection) -> frozenset[str]:
        """Return the servers on which `aos_workflow` is registered already."""
        found: set[str] = set()
        for path in self._project.matching(words(FUNCTIONS.values())):
            module = self._project.module(path)
            if module is not None:
                for host in registered_hosts(module):
                    found |= {origin.key for origin in selection.origins_of(host, module)}
        return frozenset(found)


def _place(one: Registration) -> Place:
    return Place(one.home.path, one.home.line(one.site), one.name.value or "", one.spelling)
