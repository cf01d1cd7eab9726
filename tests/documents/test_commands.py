"""Every command that a document shows is run, on a terminal where it asks a person."""

import shlex
from pathlib import Path

from tests.documents import ground
from tests.documents.person import at_terminal
from tests.documents.walkthrough import Reader, commands, fences

ROOT = Path(__file__).resolve().parents[2]
WALKED = {"tutorial.md"}
"""Documents that a test of their own follows from top to bottom."""

DOCUMENTS = [
    ROOT / "README.md",
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if path.name not in WALKED),
]

ELSEWHERE = {
    "make demo": "tests/test_cli.py runs the demo, and a test of the documents its wheel",
    "make test": "it is what runs this",
    "make clients": "drives real clients, which a machine may not have",
    "make validate": "tests/validating runs the script that it runs",
    "python scripts/validate_aos_workflow.py": "tests/validating runs it, at a URL too",
    "python scripts/cutover_to_aos_workflow.py": "tests/cutover runs it on whole projects",
    "aos-workflow serve --http": "tests/http starts it, and ends it",
    "claude mcp add": "the client is the reader's",
    "aos-workflow migrate-state": "tests/moving runs it, into a database and out of it",
    "pipx install .": "make dist installs the wheel and runs its command",
    "pip install": "an exporter is the reader's choice; what a database takes is installed here",
    "opentelemetry-instrument": "needs these; tests/server/test_telemetry.py reads what it would",
    "OTEL_SERVICE_NAME=": "the same in one line",
}
"""How commands begin that cannot be run here, and what sees to them instead."""

ASKING = ("aos-workflow trust", "aos-workflow approve")


def shown() -> list[str]:
    """Return every command of the documents once, in order."""
    found: dict[str, None] = {}
    for path in DOCUMENTS:
        for fence in fences(path.read_text(encoding="utf-8")):
            if fence.language == "console":
                found |= dict.fromkeys(command for command, _ in commands(fence.text))
    return [command for command in found if not command.startswith(tuple(ELSEWHERE))]


def asks(command: str) -> bool:
    """Tell whether a command asks a person."""
    return command.startswith(ASKING) and "--list" not in command


def filled(command: str, project: Path) -> str:
    """Return a command with what stands for something replaced by something that is there."""
    words = {
        "WORKFLOW": "release_v1",
        "NAME": "test" if "--revoke" in command else "fresh_v1",
        "PATH": ".praxis-os/workflows/release_v1",
        "DIR": "old-state",
    }
    if "SESSION" in command:
        make = ground.refused if "--override" in command else ground.waiting
        words["SESSION"] = make(project)
        words["HASH"] = ground.last_hash(project, words["SESSION"])
    for word, meant in words.items():
        command = command.replace(word, meant)
    return command


def test_every_command_of_the_documents_can_be_run(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    ground.lay(project)
    reader = Reader(project, tmp_path / "home")
    commanded = shown()
    assert len(commanded) > 20
    done: set[str] = set()
    for command in commanded:
        line = filled(command, project)
        if line in done:
            continue
        done.add(line)
        if asks(command):
            code, screen = at_terminal(shlex.split(line), project, reader.environment())
            assert code == 0, f"{line}: {screen}"
        else:
            reader.run(line, [])
