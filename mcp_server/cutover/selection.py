"""Which registrations are those of old tools, and which only look like it.

A tool is told by the name it is registered under. Left alone, and listed, is what cannot be told:
a computed name, a server made by a library that is not known to speak MCP, and a lone tool of an
old name that takes none of the arguments of the old one. Pure.
"""

from collections.abc import Collection, Sequence

import libcst as cst

from mcp_server.cutover.findings import OLD_TOOLS, Place
from mcp_server.cutover.naming import UNKNOWN
from mcp_server.cutover.origins import Origin, Origins
from mcp_server.cutover.parsed import ParsedModule
from mcp_server.cutover.project import Project, dotted_name, words
from mcp_server.cutover.resolution import Resolution
from mcp_server.cutover.spellings import Registration

_ARGUMENTS = ("workflow", "session", "phase", "target", "evidence", "name", "kind", "options")
"""What the arguments of old tools are about."""

_COMPUTED = "the name is computed: it cannot be told which tool this is"
_GIVEN = frozenset({"self", "cls", "ctx", "context"})


class Selection:
    """The registrations of a project, sorted."""

    def __init__(
        self, project: Project, every: Sequence[Registration], names: Collection[str]
    ) -> None:
        """Sort all registrations by whether they are of a tool of the old names."""
        self._project = project
        self._names = frozenset(names)
        self._origins = Origins(project)
        self.left: list[Place] = []
        named = [one for one in every if one.name.value in self._names]
        self.old = [one for one in named if self._is_old(one, named)]
        # Where old tools are spoken of and none is found, any computed name may be one of them.
        self._is_lost = not self.old and bool(project.matching(words(self._names)))
        for one in every:
            if one.name.value is None and self._may_be_old(one):
                self._leave(one, _COMPUTED)

    def origins(self, one: Registration) -> frozenset[Origin]:
        """Return the servers that a registration is made on."""
        return self._origins.of(one.host, one.module)

    def origins_of(self, host: cst.BaseExpression, module: ParsedModule) -> frozenset[Origin]:
        """Return the servers that an expression may mean."""
        return self._origins.of(host, module)

    def _may_be_old(self, one: Registration) -> bool:
        if self._is_lost and one.name == UNKNOWN:
            return True
        return one.bearer in self._names or any(one.name.may_be(name) for name in self._names)

    def _is_old(self, one: Registration, named: list[Registration]) -> bool:
        if not dotted_name(one.host):
            self._leave(one, "the server is computed here: it has no name to register on")
            return False
        strangers = sorted(o.maker for o in self.origins(one) if not _may_speak_mcp(o.maker))
        if strangers:
            self._leave(one, f"registered on a {strangers[0]}, which is not known to be MCP")
            return False
        is_alone = all(other is one or other.module is not one.module for other in named)
        if is_alone and one.name.value in OLD_TOOLS and self._takes_other_arguments(one):
            self._leave(one, "takes none of the old tool's arguments: another tool of this name?")
            return False
        return True

    def _takes_other_arguments(self, one: Registration) -> bool:
        function: cst.CSTNode | None = one.function
        if function is None and one.target is not None:
            found = Resolution(self._project).definition(one.target, one.home)
            function = found[1] if found is not None else None
        if not isinstance(function, cst.FunctionDef):
            return False
        params = (*function.params.posonly_params, *function.params.params)
        names = [p.name.value for p in (*params, *function.params.kwonly_params)]
        own = [name for name in names if name not in _GIVEN]
        return bool(own) and not any(word in name for word in _ARGUMENTS for name in own)

    def _leave(self, one: Registration, note: str) -> None:
        self.left.append(Place(one.home.path, one.home.line(one.site), one.spelling, note))


def _may_speak_mcp(maker: str) -> bool:
    """Whether a server may be one: what comes from the project, or bears the name of MCP."""
    return not maker or "mcp" in maker.lower() or maker.startswith(("typing.", "builtins."))
