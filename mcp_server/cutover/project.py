"""The modules of a project, and which of them an import means.

A module is parsed when it is asked for, once. An import is followed by its path alone: whatever
folder of the project is on the search path when the server runs, the last parts of the path agree.
Pure.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import ImportAssignment

from mcp_server.cutover.findings import Place
from mcp_server.cutover.parsed import ParsedModule


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import binds: a module of the project, or a name in one."""

    path: str
    name: str | None = None


class Project:
    """All sources by path."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        """Take the text of each module, by its path in the project."""
        self.sources = sources
        self.unparsed: dict[str, Place] = {}
        self._parsed: dict[str, ParsedModule | None] = {}
        self._by_last: dict[str, list[tuple[str, str]]] = {}
        for path in sources:
            name = _dotted(path)
            self._by_last.setdefault(name.rpartition(".")[2], []).append((name, path))

    def module(self, path: str) -> ParsedModule | None:
        """Return a module, or None when it does not parse."""
        if path not in self._parsed:
            self._parsed[path] = self._parse(path)
        return self._parsed[path]

    def _parse(self, path: str) -> ParsedModule | None:
        try:
            return ParsedModule(path, self.sources[path].removeprefix("\ufeff"))
        except cst.ParserSyntaxError as error:
            place = Place(path, error.raw_line, "syntax error", error.message)
        except RecursionError:
            place = Place(path, 1, "nested too deeply", "expressions are nested too deeply to read")
        self.unparsed[path] = place
        return None

    def matching(self, pattern: re.Pattern[str]) -> list[str]:
        """Return the paths of the sources that a pattern is found in."""
        return [path for path, text in sorted(self.sources.items()) if pattern.search(text)]

    def readers(self, home: str, names: Collection[str]) -> list[str]:
        """Return the paths of the modules that may read one of the names of the one at `home`."""
        found = self.matching(words(names)) if names else []
        *_, stem = home.removesuffix("/__init__.py").removesuffix(".py").split("/")
        imports = rf"\b{re.escape(stem)}\b"
        if home.endswith("__init__.py"):
            # Only what a package itself holds is imported without a name of a module.
            imports += r"|\bfrom\s+\.+\s+import\b"
        importing = re.compile(imports)
        return [path for path in found if path == home or importing.search(self.sources[path])]

    def named(self, dotted: str, level: int, importer: str) -> str | None:
        """Return the path of the one module that an import statement in `importer` means."""
        if level:
            folder = importer.split("/")[:-level]
            wanted = ".".join([*folder, *filter(None, dotted.split("."))])
            found = [path for name, path in self._ending_as(wanted) if name == wanted]
        else:
            found = [
                path
                for name, path in self._ending_as(dotted)
                if name == dotted or name.endswith(f".{dotted}")
            ]
        return _nearest(found, importer)

    def _ending_as(self, dotted: str) -> list[tuple[str, str]]:
        return self._by_last.get(dotted.rpartition(".")[2], [])

    def module_meant(self, node: cst.BaseExpression, module: ParsedModule) -> str | None:
        """Return the path of the module of the project that an expression is."""
        for source in (*module.referents(node), *module.root_referents(node)):
            if not isinstance(source, ImportAssignment):
                continue
            alias = alias_of(source.node, source.name)
            target = self.imported(alias, module) if alias is not None else None
            if isinstance(node, cst.Name) and target is not None and target.name is None:
                return target.path
            if isinstance(source.node, cst.Import) and isinstance(node, cst.Attribute):
                return self.named(dotted_name(node), 0, module.path)
        return None

    def imported(self, alias: cst.ImportAlias, module: ParsedModule) -> Imported | None:
        """Return what an alias of an import binds, if that is in the project."""
        statement = module.parent(alias)
        written = dotted_name(alias.name)
        if isinstance(statement, cst.Import):
            bound = written if alias.asname else written.split(".")[0]
            path = self.named(bound, 0, module.path)
            return Imported(path) if path else None
        if not isinstance(statement, cst.ImportFrom):
            return None
        base, level = origin(statement)
        inside = self.named(f"{base}.{written}" if base else written, level, module.path)
        if inside is not None and (base or level):
            return Imported(inside)
        path = self.named(base, level, module.path)
        return Imported(path, written) if path else None


def words(names: Iterable[str]) -> re.Pattern[str]:
    """Return the pattern of any of some names as a whole word."""
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(names)))})\b")


def alias_of(statement: cst.CSTNode, bound: str) -> cst.ImportAlias | None:
    """Return the alias of an import statement that binds a name."""
    names = statement.names if isinstance(statement, cst.Import | cst.ImportFrom) else ()
    if isinstance(names, cst.ImportStar):
        return None
    for alias in names:
        written = alias.evaluated_alias or alias.evaluated_name
        # `import a.b` binds `a`, and what is read of it is bound by `a.b`.
        if written == bound or (
            isinstance(statement, cst.Import) and written.startswith(f"{bound}.")
        ):
            return alias
    return None


def dotted_name(node: cst.BaseExpression | None) -> str:
    """Return a name with its dots as it is written, or nothing for any other expression."""
    match node:
        case cst.Name(value=value):
            return value
        case cst.Attribute(value=value, attr=attr):
            before = dotted_name(value)
            return f"{before}.{attr.value}" if before else ""
    return ""


def origin(statement: cst.ImportFrom) -> tuple[str, int]:
    """Return the module that names are imported from, and the number of dots before it."""
    return dotted_name(statement.module), len(statement.relative)


def _dotted(path: str) -> str:
    name = path.removesuffix(".py").replace("/", ".")
    return "" if name == "__init__" else name.removesuffix(".__init__")


def _nearest(found: list[str], importer: str) -> str | None:
    """Return the candidate that shares most folders with the importer, if there is just one."""

    def shared(path: str) -> int:
        pairs = zip(path.split("/")[:-1], importer.split("/")[:-1], strict=False)
        return next((i for i, (a, b) in enumerate(pairs) if a != b), path.count("/"))

    best = max(map(shared, found), default=0)
    nearest = [path for path in found if shared(path) == best]
    return nearest[0] if len(nearest) == 1 else None
