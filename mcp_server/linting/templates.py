"""The parts of a dynamic workflow: where its phases come from, and the templates they fill."""

import re
from pathlib import Path

from mcp_server.core.definition_files import is_there
from mcp_server.core.dynamic import PHASE_PLACEHOLDERS, TASK_PLACEHOLDERS
from mcp_server.core.task_source import PARSERS
from mcp_server.linting.ground import Ground
from mcp_server.linting.metadata import Described
from mcp_server.linting.problems import closest, listed
from mcp_server.linting.texts import Page, check_links

_FILLED = {
    "phase": frozenset(PHASE_PLACEHOLDERS),
    "task": frozenset(PHASE_PLACEHOLDERS + TASK_PLACEHOLDERS),
}
"""What each template may have in brackets; anything else stays as it is."""

_IN_CAPITALS = re.compile(r"\[([A-Z][A-Z0-9_ -]*[A-Z0-9])\](?![(\[:])")
At = tuple[str | int, ...]


def check_dynamic(ground: Ground, described: Described) -> None:
    """Check what makes a workflow dynamic; of others, that nothing does so by half."""
    config = described.source.data.get("dynamic_config")
    if not described.model.is_dynamic:
        if config is not None:
            _warn(ground, described, (), "the workflow is not dynamic",
                  'Write "dynamic_phases": true, or remove dynamic_config.')  # fmt: skip
        return
    used = described.model.dynamic_config
    given = config if isinstance(config, dict) else {}
    for key, meant in (("source_path_key", used.source_path_key), ("parser", used.parser)):
        if not given.get(key):
            _warn(ground, described, (key,), f"dynamic_config does not say {key}",
                  f"Write it, so that people see it: it is taken to be {meant}.")  # fmt: skip
    if used.parser not in PARSERS:
        _tell(ground, described, ("parser",), f"unknown parser {used.parser!r}",
              f"Write one of {listed(PARSERS)}.")  # fmt: skip
    for kind, name in (("phase", used.templates.phase), ("task", used.templates.task)):
        if name is None:
            _warn(ground, described, ("templates", kind),
                  f"dynamic_config has no template for each {kind}: a plain one is used",
                  f"Name a Markdown file, such as phases/dynamic/{kind}-template.md.")  # fmt: skip
        else:
            _check_named(ground, described, kind, name)


def _check_named(ground: Ground, described: Described, kind: str, name: str) -> None:
    path, at = ground.folder / name, ("templates", kind)
    if ".." in path.parts or not path.is_relative_to(ground.folder):
        _tell(ground, described, at, f"the template {name!r} is not in the definition",
              "Name a file in the definition's own folder.")  # fmt: skip
    elif not is_there(path):
        _tell(ground, described, at, f"there is no template {name!r}",
              "Correct the path, or write the file.")  # fmt: skip
    else:
        _check_template(ground, kind, path)


def _check_template(ground: Ground, kind: str, path: Path) -> None:
    text = ground.read(path)
    if text is None:
        return
    if not text.strip():
        ground.warn(path, "template/empty", "the template is empty",
                    f"Write what each {kind} says.")  # fmt: skip
    told = set(_FILLED[kind])
    for number, line in enumerate(text.splitlines(), start=1):
        for name in _IN_CAPITALS.findall(line):
            if name not in told:
                told.add(name)
                _tell_unfilled(ground, path, kind, name, number)
    check_links(ground, path, Page(text))


def _tell_unfilled(ground: Ground, path: Path, kind: str, name: str, line: int) -> None:
    meant = closest(name, _FILLED[kind])
    hint = f": did you mean [{meant}]?" if meant else ""
    ground.warn(path, "template/unknown-placeholder",
                f"nothing fills [{name}] in the template of a {kind}{hint}",
                "Use a placeholder that is filled, or other brackets.", line)  # fmt: skip


def _tell(ground: Ground, described: Described, at: At, message: str, remedy: str) -> None:
    line = described.source.line_of(("dynamic_config", *at))
    ground.error(described.path, "metadata/dynamic-config", message, remedy, line)


def _warn(ground: Ground, described: Described, at: At, message: str, remedy: str) -> None:
    line = described.source.line_of(("dynamic_config", *at))
    ground.warn(described.path, "metadata/dynamic-config", message, remedy, line)
