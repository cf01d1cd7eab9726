"""Which items nothing needs any more once the old registrations are gone.

Only what the removed code leads to is looked at: what nothing used before stays. Of that, an item
lives when something that stays reads its name, in its own module or in another one; the rest goes,
circles included. Doubt makes an item live. Pure.
"""

import re
from collections.abc import Collection, Iterable, Iterator

import libcst as cst

from mcp_server.cutover.items import Item, ItemsOf
from mcp_server.cutover.parsed import ParsedModule
from mcp_server.cutover.project import Project, dotted_name

_REFLECTION = frozenset({"globals", "locals", "vars", "eval", "exec"})


class Liveness:
    """Follows the names of the modules that old tools are registered or defined in."""

    def __init__(self, project: Project, items: dict[str, ItemsOf], weak: Collection[int]) -> None:
        """Take the items of each module that is looked at, by its path.

        What a module exports is read from outside, but for the nodes whose ids are `weak`.
        """
        self._project = project
        self._items = items
        self._uses: dict[Item, set[Item]] = {}
        """What each item leads to, in its own module."""
        self._needed: dict[Item, set[Item]] = {}
        """What each item needs to go on living."""
        self._reflecting = {path for path, of in items.items() if _uses_reflection(of.module)}
        self._readers: dict[Item, list[Item | None]] = {}
        """What reads each item; None is code that stays."""
        for of_module in items.values():
            self._note_uses(of_module)
            for name, _ in exports(of_module.module):
                for item in of_module.of_global(name):
                    if id(item.node) not in weak:
                        self._readers.setdefault(item, []).append(None)

    def dead(self, seeds: Iterable[Item]) -> set[Item]:
        """Return the items that go with the seeds, the seeds included."""
        seeds = set(seeds)
        reached = self._reached(seeds)
        self._note_readers_elsewhere(reached)
        for used, readers in self._readers.items():
            for reader in readers:
                if reader is not None:
                    self._needed.setdefault(reader, set()).add(used)
        live: set[Item] = set()
        pending = [item for item in reached - seeds if self._is_read_from_outside(item, reached)]
        removable = reached - seeds
        while pending:
            item = pending.pop()
            if item not in live:
                live.add(item)
                pending += [used for used in self._needed.get(item, ()) if used in removable]
        return reached - live

    def lead(self, item: Item, to: Item) -> None:
        """Note that an item leads to another one, where no name says so."""
        self._uses.setdefault(item, set()).add(to)

    def keep(self, item: Item) -> None:
        """Note that new code reads an item."""
        self._readers.setdefault(item, []).append(None)

    def _reached(self, seeds: set[Item]) -> set[Item]:
        reached: set[Item] = set()
        pending = list(seeds)
        while pending:
            item = pending.pop()
            if item not in reached and item.module.path not in self._reflecting:
                reached.add(item)
                pending += self._uses.get(item, ())
            elif item in seeds:
                reached.add(item)
        return reached

    def _is_read_from_outside(self, item: Item, reached: set[Item]) -> bool:
        return any(
            reader is None or reader not in reached for reader in self._readers.get(item, ())
        )

    def _note(self, owner: Item | None, used: Item) -> None:
        if owner is used:
            return
        self._readers.setdefault(used, []).append(owner)
        if owner is not None:
            self._uses.setdefault(owner, set()).add(used)

    def _note_uses(self, of_module: ItemsOf) -> None:
        module = of_module.module
        for scope in module.scopes:
            for access in scope.accesses:
                owner = of_module.owner(access.node)
                for referent in access.referents:
                    used = of_module.bound_by(referent)
                    if used is not None:
                        self._note(owner, used)
        for node in module.nodes:
            if isinstance(node, cst.Attribute):
                self._note_attribute(of_module, node)

    def _note_attribute(self, of_module: ItemsOf, node: cst.Attribute) -> None:
        """An attribute may be a method of any class that has one of this name."""
        owner = of_module.owner(node)
        own_class = of_module.module.class_around(node)
        is_own = dotted_name(node.value) in {"self", "cls"}
        for of_any in self._items.values():
            for method in of_any.methods.get(node.attr.value, ()):
                if is_own and method.module.class_around(method.node) is own_class:
                    self._note(owner, method)
                elif owner is not method:
                    self._readers.setdefault(method, []).append(owner)

    def _note_readers_elsewhere(self, reached: set[Item]) -> None:
        wanted: dict[str, dict[str, Item]] = {}
        for item in reached:
            if item.is_global and not item.is_seed:
                wanted.setdefault(item.module.path, {})[item.name] = item
        for home, names in wanted.items():
            for path in self._project.readers(home, names):
                if path != home:
                    self._note_readers_in(path, home, names)
        methods = {item.name: item for item in reached if item.is_method}
        for name, item in methods.items():
            called = re.compile(rf"\.\s*{name}\b")
            if any(path not in self._items for path in self._project.matching(called)):
                self._readers.setdefault(item, []).append(None)

    def _note_readers_in(self, path: str, home: str, names: dict[str, Item]) -> None:
        module = self._project.module(path)
        if module is None:
            # What does not parse may read anything.
            for item in names.values():
                self._readers.setdefault(item, []).append(None)
            return
        of_module = self._items.get(path)
        for node in module.nodes:
            for name in _names_read(self._project, module, node, home, names):
                owner = of_module.owner(node) if of_module else None
                self._readers.setdefault(names[name], []).append(owner)


def exports(module: ParsedModule) -> Iterator[tuple[str, cst.BaseElement]]:
    """Give the names in a module's `__all__`, with the elements that they are."""
    for line in module.tree.body:
        for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            match small:
                case (
                    cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value="__all__"))])
                    | cst.AnnAssign(target=cst.Name(value="__all__"))
                    | cst.AugAssign(target=cst.Name(value="__all__"))
                ) if isinstance(small.value, cst.List | cst.Tuple):
                    for element in small.value.elements:
                        if isinstance(element.value, cst.SimpleString):
                            yield element.value.raw_value, element


def _uses_reflection(module: ParsedModule) -> bool:
    return any(
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Name)
        and node.func.value in _REFLECTION
        for node in module.nodes
    )


def _names_read(
    project: Project, module: ParsedModule, node: cst.CSTNode, home: str, names: Collection[str]
) -> Iterator[str]:
    """Give the names of the module at `home` that a node of another module reads."""
    match node:
        case cst.ImportAlias():
            target = project.imported(node, module)
            if target is not None and target.path == home and target.name and target.name in names:
                yield target.name
        case cst.ImportFrom(names=cst.ImportStar()):
            base, level = dotted_name(node.module), len(node.relative)
            if project.named(base, level, module.path) == home:
                yield from (name for name in names if _has_word(module.source, name))
        case cst.Attribute(value=owner, attr=attr):
            if attr.value in names and project.module_meant(owner, module) == home:
                yield attr.value
        case cst.SimpleString():
            *_, stem = home.removesuffix("/__init__.py").removesuffix(".py").split("/")
            text = node.raw_value
            yield from (name for name in names if text.endswith(f"{stem}.{name}"))
        case cst.Call(args=args):
            given = [arg.value for arg in args]
            if any(project.module_meant(value, module) == home for value in given):
                texts = {v.raw_value for v in given if isinstance(v, cst.SimpleString)}
                yield from (name for name in names if name in texts)


def _has_word(text: str, word: str) -> bool:
    return word in text and re.search(rf"\b{re.escape(word)}\b", text) is not None
