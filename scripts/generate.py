"""Write everything in the repository that comes from something else in it.

requirements*.txt come from pyproject.toml; the marked parts of README.md and ARCHITECTURE.md come
from the code. With --check nothing is written, and the exit code says whether all is fresh.
"""

import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from mcp_server.config import PREFIX, Settings
from mcp_server.core.transitions import TABLE, Status
from mcp_server.server.tools.actions import ACTIONS

END = "<!-- end -->"
ROOT = Path(__file__).resolve().parent.parent
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
        f"    {before} --> {after}: {action} ({outcome})"
        for (before, action), outcomes in TABLE.items()
        for outcome, after in outcomes.items()
    ]
    start = f"    [*] --> {Status.ACTIVE}: start"
    return "\n".join(["```mermaid", "stateDiagram-v2", start, *arrows, "```"])


def settings() -> str:
    """Return the table of the settings."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_default(field)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| variable | default | what it sets |", "|---|---|---|", *rows])


def documents() -> dict[str, str]:
    """Return the documents with their generated parts as they should be."""
    return {
        "README.md": _filled("README.md", {"actions": actions(), "settings": settings()}),
        "ARCHITECTURE.md": _filled("ARCHITECTURE.md", {"states": states()}),
    }


def stale() -> dict[str, str]:
    """Return the files that are not as they should be, with the content they should have."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = requirements(pyproject) | documents()
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
        _, end, after = rest.partition(END)
        document = f"{before}{mark}{text}\n{end}{after}"
    return document


def _default(field: FieldInfo) -> str:
    return "found from the working directory" if field.is_required() else f"{field.default:,}"


def _code(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _read(name: str) -> str:
    path = ROOT / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
