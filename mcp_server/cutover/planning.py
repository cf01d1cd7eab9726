"""What a cutover of a project would do: the plan for its Python, and for all its mentions.

Nothing is written here, and nothing is started.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice

from mcp_server.cutover.bridge import bridge_text
from mcp_server.cutover.changes import NEW_FILE, Change, Plan, Style
from mcp_server.cutover.findings import Place
from mcp_server.cutover.json_mentions import rewrite_json
from mcp_server.cutover.mentions import list_mentions, list_python_texts, rewrite_text_file
from mcp_server.cutover.prose_mentions import Known, Mentions, mentions_in, servers_meant
from mcp_server.cutover.scanning import Kind, ProjectFile, Scan

_REWRITERS = {
    Kind.JSON: rewrite_json,
    Kind.PROSE: rewrite_text_file,
    Kind.OTHER: list_mentions,
}


def names_old_tools(scan: Scan, old: Sequence[str]) -> bool:
    """Tell whether any module of the project says the name of an old tool."""
    return any(_mentions(file, old) for file in scan.of(Kind.PYTHON).values())


def make_plan(scan: Scan, old: Sequence[str], style: Style, server_name: str = "") -> Plan:
    """Return the plan; `server_name` is what clients call the server that is cut over."""
    # libcst takes its time to import, and a project without old tools needs none of it.
    from mcp_server.cutover.python_plan import plan_python  # noqa: PLC0415

    modules = scan.of(Kind.PYTHON)
    sources = {path: file.text for path, file in modules.items()}
    python = plan_python(sources, old, style=style, bridge=bridge_text())
    servers = servers_meant([file.text for file in scan.files], old)
    known = Known(old, servers | ({server_name} if server_name else frozenset()))
    mentions = [(file, _rewriter(file, known)) for file in scan.files if _mentions(file, old)]
    changes = [*_changed_modules(modules, python.files), *_changed_texts(mentions)]
    texts = chain.from_iterable(
        _texts_left(path, text, python.files.get(path, text), known)
        for path, text in sources.items()
    )
    told = {(place.path, place.line) for place in python.left}
    left = chain(
        python.left,
        (place for place in texts if (place.path, place.line) not in told),
        *(found.left for _, found in mentions),
    )
    return Plan(
        changes=tuple(sorted(changes, key=lambda change: change.path)),
        registrations=python.registrations,
        rewritten=tuple(chain.from_iterable(found.rewritten for _, found in mentions)),
        left=tuple(_each_once(left)),
        unparsed=tuple(_unparsed(modules, old)),
        skipped=scan.skipped,
        style=style if python.files else None,
    )


def _unparsed(modules: Mapping[str, ProjectFile], old: Sequence[str]) -> Iterator[Place]:
    """Yield each module that does not parse and names an old tool: what it needs cannot be told."""
    for path, file in modules.items():
        for mention in islice(mentions_in(file.text, old), 1):
            try:
                ast.parse(file.text)
            except (SyntaxError, ValueError, RecursionError) as error:
                line = getattr(error, "lineno", None) or 1
                yield Place(path, line, mention.name, f"does not parse: {error}")


def _mentions(file: ProjectFile, old: Sequence[str]) -> bool:
    return any(mentions_in(file.text, old))


def _texts_left(path: str, before: str, after: str, known: Known) -> Iterator[Place]:
    """Yield what the texts of a module say, by the lines that it has now, if it says it still."""
    kept = set(after.splitlines())
    lines = before.splitlines()
    for place in list_python_texts(path, before, known):
        if lines[min(place.line, len(lines)) - 1] in kept:
            yield place


def _rewriter(file: ProjectFile, known: Known) -> Mentions:
    if file.kind is Kind.PYTHON:
        return Mentions(file.text)
    return _REWRITERS[file.kind](file.path, file.text, known)


def _changed_modules(
    modules: Mapping[str, ProjectFile], texts: Mapping[str, str]
) -> Iterator[Change]:
    for path, text in texts.items():
        file = modules.get(path)
        if file is None:
            yield Change(path, None, text.encode(), NEW_FILE)
        elif text != file.text:
            yield Change(path, file.data, file.encoded(text), file.mode)


def _changed_texts(mentions: Sequence[tuple[ProjectFile, Mentions]]) -> Iterator[Change]:
    for file, found in mentions:
        if found.text != file.text:
            yield Change(file.path, file.data, file.encoded(found.text), file.mode)


def _each_once(places: Iterator[Place]) -> list[Place]:
    """Return the places sorted, the first of those that name the same thing on the same line."""
    first: dict[tuple[str, int, str], Place] = {}
    for place in places:
        first.setdefault((place.path, place.line, place.what), place)
    return sorted(first.values(), key=lambda place: (place.path, place.line, place.what))
