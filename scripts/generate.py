"""Write everything in the repository that comes from something else in it.

requirements*.txt and server.json come from pyproject.toml and the settings; the marked parts of
README.md, ARCHITECTURE.md and the pages in docs/ come from the code. With --check nothing is
written, and the exit code says whether all is fresh.
"""

import ast
import inspect
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import to_json

from benchmarks import simulation
from mcp_server import __version__
from mcp_server.cli import app
from mcp_server.config import PREFIX, Settings
from mcp_server.core.dynamic import PHASE_PLACEHOLDERS, TASK_PLACEHOLDERS
from mcp_server.core.transitions import TABLE, PersonAction, Status
from mcp_server.doctor.checks import CHECKS
from mcp_server.gates import expressions, patterns
from mcp_server.gates.probe_settings import KNOWN_PROBES, ProbeSettings
from mcp_server.gates.probes import (
    coverage_measured,
    files,
    globs,
    junit,
    junit_report,
    look,
    xml_reports,
)
from mcp_server.gates.probes import documents as found
from mcp_server.http.options import PREFIX as HTTP_PREFIX
from mcp_server.http.options import HttpOptions
from mcp_server.server.tools.actions import ACTIONS
from mcp_server.server.tools.publishing import TITLE
from mcp_server.setting_up.clients import CLIENTS, SERVER_NAME, ConfigFile, Named, Scope
from mcp_server.setting_up.configs import snippet
from mcp_server.setting_up.launching import COMMAND, with_project
from scripts.command_reference import command_reference, command_table
from scripts.tool_reference import tool_reference

END = "<!-- end -->"
ROOT = Path(__file__).resolve().parent.parent
REGISTRY_SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
PROJECT = Path("/path/to/your/project")
NOTE = "# Written by `make generate` from pyproject.toml; edit that file instead.\n"


def requirements(pyproject: Mapping[str, Any]) -> dict[str, str]:
    """Return the content of each requirements file."""
    project = pyproject["project"]
    runtime, extra = project["dependencies"], project["optional-dependencies"]["dev"]
    return {
        "requirements.txt": NOTE + "".join(f"{line}\n" for line in runtime),
        "requirements-dev.txt": f"{NOTE}-r requirements.txt\n"
        + "".join(f"{line}\n" for line in extra),
    }


def server_json(pyproject: Mapping[str, Any]) -> str:
    """Return the entry of the registry of MCP servers, which finds its name in the README again."""
    project = pyproject["project"]
    repository = project["urls"]["Repository"]
    *_, owner, name = repository.split("/")
    package = {
        "registryType": "pypi",
        "identifier": project["name"],
        "version": __version__,
        "runtimeHint": "uvx",
        "transport": {"type": "stdio"},
        "packageArguments": [{"type": "positional", "value": "serve"}],
        "environmentVariables": [
            _variable(name, field) for name, field in Settings.model_fields.items()
        ],
    }
    entry = {
        "$schema": REGISTRY_SCHEMA,
        "name": f"io.github.{owner}/{name}",
        "title": TITLE,
        "description": project["description"],
        "version": __version__,
        "repository": {"url": repository, "source": "github"},
        "packages": [package],
    }
    return to_json(entry, indent=2).decode() + "\n"


def _variable(name: str, field: FieldInfo) -> dict[str, Any]:
    said = {"name": f"{PREFIX}{name.upper()}", "description": field.description}
    if field.annotation is Path:
        return said | {"isRequired": False, "format": "filepath"}
    if field.default is None:
        return said | {"isRequired": False, "format": "string"}
    return said | {"isRequired": False, "format": "number", "default": str(field.default)}


def actions() -> str:
    """Return the table of the actions."""
    rows = [
        f"| `{action}` | {_code(spec.needs)} | {_code(spec.takes)} | {spec.summary} |"
        for action, spec in ACTIONS.items()
    ]
    return "\n".join(["| action | needs | takes | what it does |", "|---|---|---|---|", *rows])


def states() -> str:
    """Return the diagram of a session's life."""
    arrows = [
        f"    {before} --> {after}: {_person(action)}{action} ({outcome})"
        for (before, action), outcomes in TABLE.items()
        for outcome, after in outcomes.items()
    ]
    start = f"    [*] --> {Status.ACTIVE}: start"
    return "\n".join(["```mermaid", "stateDiagram-v2", start, *arrows, "```"])


def placeholders() -> str:
    """Return the table of what templates may name."""
    rows = [
        f"| {kind} | {', '.join(f'`[{name}]`' for name in names)} |"
        for kind, names in (("phases", PHASE_PLACEHOLDERS), ("tasks", TASK_PLACEHOLDERS))
    ]
    return "\n".join(["| of | placeholders |", "|---|---|", *rows])


def settings(made: type[BaseModel] = Settings, prefix: str = PREFIX) -> str:
    """Return the table of the settings that a model holds."""
    rows = [
        f"| `{prefix}{name.upper()}` | {_default(field)} | {field.description} |"
        for name, field in made.model_fields.items()
    ]
    return "\n".join(["| variable | default | what it sets |", "|---|---|---|", *rows])


def clients() -> str:
    """Return the table of the clients that can be set up, and where their files are."""
    rows = [
        f"| {client.title} | `{COMMAND} setup {name}` |"
        f" {_places(client.files.get(Scope.PROJECT))} | {_places(client.files.get(Scope.USER))} |"
        for name, client in CLIENTS.items()
    ]
    head = "| client | command | file of a project | file of a user |"
    return "\n".join([head, "|---|---|---|---|", *rows])


def snippets() -> str:
    """Return what belongs into the clients' files, once for all that take the same."""
    titles: dict[str, list[str]] = {}
    for client in CLIENTS.values():
        scope = client.default_scope
        config = client.files[scope]
        root = PROJECT if config.project is Named.BY_PATH else None
        line = with_project([COMMAND, "serve"], config, root)
        language = "json" if client.dialect else "toml"
        block = f"```{language}\n{snippet(client, SERVER_NAME, client.entry(line))}```"
        titles.setdefault(block, []).append(f"**{client.title}**")
    return "\n\n".join(f"{', '.join(named)}:\n\n{block}" for block, named in titles.items())


def checks() -> str:
    """Return the table of what doctor looks at."""
    rows = [f"| {check.name} | {_first_line(check.look)} |" for check in CHECKS]
    return "\n".join(["| check | what it does |", "|---|---|", *rows])


def layers() -> str:
    """Return the diagram of the layers that the tests of the architecture hold the imports to."""
    tree = ast.parse(_read("tests/test_architecture.py"))
    named = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    names = [name for name in ast.literal_eval(named["LAYERS"]) if name != "__init__"]
    boxes = [f'main["{name}"]' if name == "__main__" else name for name in reversed(names)]
    return "\n".join(["```mermaid", "flowchart TD", f"    {' --> '.join(boxes)}", "```"])


def probes() -> dict[str, str]:
    """Return the table of the probes, and one of each probe's settings."""
    rows = [
        f"| [`{name}`](#{name}) | {_first_line(made)} | {made.gives} |"
        for name, made in KNOWN_PROBES.items()
    ]
    overview = "\n".join(["| probe | what it looks for | known as |", "|---|---|---|", *rows])
    return {"probes": overview} | {
        f"settings of {name}": _settings_of(made) for name, made in KNOWN_PROBES.items()
    }


def limits() -> str:
    """Return the table of what a look, a pattern and an expression may take."""
    rows = [
        ("one file, bytes", files.MAX_FILE),
        ("files of one glob", globs.MAX_FILES),
        ("the files of one glob together, bytes", files.MAX_TOTAL),
        ("a pattern, characters", patterns.MAX_PATTERN),
        ("a pattern with its counted repetitions written out, parts", patterns.MAX_EXPANDED),
        ("a pattern, groups of all kinds", patterns.MAX_BRACKETS),
        ("matching all patterns of the looks of one submission, seconds", look.MATCHING_TIME),
        ("a file that `count` or `text` searches, characters", found.MAX_SEARCHED),
        ("matching all JSON Schema patterns of one value, seconds", patterns.LIMIT),
        ("matching all patterns of one run of an expression, seconds", patterns.LIMIT),
        ("a match, or a text as a value, characters", found.MAX_TEXT),
        ("matches in a list", found.MAX_VALUES),
        ("a JSON file, bytes", found.MAX_JSON),
        ("a JSON file, members and elements", found.MAX_PARTS),
        ("a YAML or TOML file, bytes", found.MAX_YAML),
        ("a value at a pointer, bytes", found.MAX_VALUE),
        ("an XML report, elements", xml_reports.MAX_ELEMENTS),
        ("an XML report, levels", xml_reports.MAX_DEPTH),
        ("test cases in all reports of one look", junit_report.MAX_CASES),
        ("names of tests in a list", junit.MAX_LISTED),
        ("lines and branches in a coverage report", coverage_measured.MAX_POINTS),
        ("an expression, characters", expressions.MAX_SOURCE),
        ("one run of an expression, steps", expressions.MAX_STEPS),
    ]
    lines = [f"| {what} | {most:,} |" for what, most in rows]
    return "\n".join(["| what | at most |", "|---|---|", *lines])


def readme_parts() -> dict[str, str]:
    """Return the generated parts of the first page."""
    return {
        "clients": clients(),
        "snippets": snippets(),
        "actions": actions(),
        "commands": command_table(app),
    }


def documents() -> dict[str, str]:
    """Return the documents with their generated parts as they should be."""
    return {
        "README.md": _filled("README.md", readme_parts()),
        "docs/reference.md": _filled(
            "docs/reference.md",
            {**tool_reference(), "actions": actions(), "settings": settings()},
        ),
        "docs/commands.md": command_reference(app),
        "docs/how-to/http.md": _filled(
            "docs/how-to/http.md", {"http settings": settings(HttpOptions, HTTP_PREFIX)}
        ),
        "ARCHITECTURE.md": _filled("ARCHITECTURE.md", {"layers": layers(), "states": states()}),
        "docs/workflows.md": _filled("docs/workflows.md", {"placeholders": placeholders()}),
        "docs/setup.md": _filled("docs/setup.md", {"checks": checks()}),
        "docs/scale.md": _filled(
            "docs/scale.md",
            {"assumptions": simulation.assumptions(), "simulation": simulation.table()},
        ),
        "docs/gates.md": _filled("docs/gates.md", {**probes(), "limits": limits()}),
    }


def stale() -> dict[str, str]:
    """Return the files that are not as they should be, with the content they should have."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = requirements(pyproject) | {"server.json": server_json(pyproject)} | documents()
    return {name: text for name, text in wanted.items() if _read(name) != text}


def main() -> int:
    """Write what is stale; with --check, only tell."""
    found = stale()
    if "--check" in sys.argv[1:]:
        return 1 if found else 0
    for name, text in found.items():
        (ROOT / name).write_text(text, encoding="utf-8")
    return 0


def _filled(name: str, parts: Mapping[str, str]) -> str:
    document = _read(name)
    for part, text in parts.items():
        before, mark, rest = document.partition(f"<!-- generated: {part} -->\n")
        if not mark:
            raise SystemExit(f"{name} has no part that is marked <!-- generated: {part} -->")
        _, end, after = rest.partition(END)
        document = f"{before}{mark}{text}\n{end}{after}"
    return document


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "found from the working directory"
    default = field.default
    if isinstance(default, int | float):
        return f"{default:,}"
    return f"`{default}`" if default else ""


def _person(action: object) -> str:
    return "a person's " if isinstance(action, PersonAction) else ""


def _first_line(described: object) -> str:
    return (inspect.getdoc(described) or "").partition("\n")[0].removesuffix(".")


def _settings_of(made: type[ProbeSettings]) -> str:
    # The main setting is what the value of the probe's key gives: it comes first.
    names = sorted(made.model_fields, key=lambda name: name != made.main)
    rows = [
        f"| `{name}` | {_type_of(made, name)} | {_default_of(made.model_fields[name])} |"
        f" {_said_of(made, name)} |"
        for name in names
    ]
    return "\n".join(["| setting | type | default | what it says |", "|---|---|---|---|", *rows])


def _type_of(made: type[ProbeSettings], name: str) -> str:
    field = made.model_fields[name]
    schema = made.model_json_schema()["properties"][name]
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    if any("$ref" in kind for kind in kinds):
        return "probe"
    (kind,) = kinds
    if "enum" in kind:
        return " or ".join(f"`{value}`" for value in kind["enum"])
    if kind["type"] != "array":
        return str(kind["type"])
    listed = f"list of {kind['items']['type']}s"
    return f"string, or {listed}" if _takes_text(field) else listed


def _takes_text(field: FieldInfo) -> bool:
    try:
        TypeAdapter(Annotated[field.annotation, field, *field.metadata]).validate_python("text")
    except ValidationError:
        return False
    return True


def _default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    default = field.get_default(call_default_factory=True)
    empty = default is None or default in ("", ())
    return "" if empty else f"`{to_json(default).decode()}`"


def _said_of(made: type[ProbeSettings], name: str) -> str:
    # A class that only changes a default says nothing anew.
    bases = (base for base in made.__mro__ if issubclass(base, ProbeSettings))
    fields = (base.model_fields[name] for base in bases if name in base.model_fields)
    return next((field.description for field in fields if field.description), "")


def _places(config: ConfigFile | None) -> str:
    return " or ".join(f"`{place.shown}`" for place in config.places) if config else ""


def _code(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _read(name: str) -> str:
    path = ROOT / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
