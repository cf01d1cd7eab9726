"""Where `aos_workflow` gets registered: in the place of the first old tool of each server.

When old tools stand in several branches, the registration stands before the outermost statement
that holds them all. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import libcst as cst

from mcp_server.cutover.parsed import ParsedModule
from mcp_server.cutover.project import dotted_name
from mcp_server.cutover.spellings import Registration


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """The old tools that one function registers on one server."""

    module: ParsedModule
    function: cst.FunctionDef | None
    host: str
    registrations: tuple[Registration, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """A statement before which, or after which, the registration stands."""

    statement: cst.BaseStatement
    block: cst.CSTNode
    is_after: bool = False


def groups(registrations: Sequence[Registration]) -> list[Group]:
    """Return the registrations by the function they are made in and the server they name."""
    found: dict[tuple[int, str], list[Registration]] = {}
    for registration in registrations:
        function = scope_function(registration)
        host = dotted_name(registration.host)
        found.setdefault((id(function), f"{registration.module.path} {host}"), []).append(
            registration
        )
    return [
        Group(
            members[0].module,
            scope_function(members[0]),
            dotted_name(members[0].host),
            tuple(members),
        )
        for members in found.values()
    ]


def chosen(
    found: Sequence[Group], origins: Mapping[Group, frozenset[str]], covered: frozenset[str]
) -> list[Group]:
    """Return the groups that register `aos_workflow`, so that each server gets it once.

    Of the groups that share a server, the one with the most old tools comes first.
    """
    ranked = sorted(found, key=lambda group: -len(group.registrations))
    picked: list[Group] = []
    for group in ranked:
        if not origins[group] <= covered:
            picked.append(group)
            covered |= origins[group]
    return picked


def scope_function(registration: Registration) -> cst.FunctionDef | None:
    """Return the function that runs a registration."""
    return registration.module.function_around(registration.anchor)


def spot(group: Group) -> Spot:
    """Return where the registration of a group stands."""
    module = group.module
    chains = [list(_chain(module, member.anchor)) for member in group.registrations]
    depth = 0
    while all(len(chain) > depth for chain in chains) and all(
        chain[depth][0] is chains[0][depth][0] for chain in chains
    ):
        depth += 1
    block = chains[0][depth - 1][0]
    statements = [chain[depth - 1][1] for chain in chains]
    first = min(statements, key=module.start)
    if _is_bound_later(group, module.start(first)):
        return Spot(max(statements, key=module.start), block, is_after=True)
    return Spot(first, block)


def _chain(
    module: ParsedModule, anchor: cst.BaseStatement
) -> Iterator[tuple[cst.CSTNode, cst.BaseStatement]]:
    """Give the blocks around a statement and the statement of each, the outermost first.

    Blocks of classes and everything in them are left out: a class body is no place for a call.
    """
    found: list[tuple[cst.CSTNode, cst.BaseStatement]] = []
    node: cst.CSTNode = anchor
    around = module.parent(node)
    while around is not None:
        if isinstance(around, cst.BaseSuite | cst.Module) and isinstance(node, cst.BaseStatement):
            if isinstance(module.parent(around), cst.FunctionDef):
                found.append((around, node))
                break
            if isinstance(module.parent(around), cst.ClassDef):
                found.clear()
            else:
                found.append((around, node))
        node, around = around, module.parent(around)
    return reversed(found)


def _is_bound_later(group: Group, before: int) -> bool:
    """Whether the server gets its name only at or after an offset."""
    for source in group.module.root_referents(group.registrations[0].host):
        node = getattr(source, "node", None)
        if not isinstance(node, cst.Name) or group.module.start(node) < before:
            continue
        if group.module.function_around(node) is group.function:
            return True
    return False
