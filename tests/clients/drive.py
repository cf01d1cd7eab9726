"""Drive real clients against the server, each with a scripted model: what is its model shown?

    python -m tests.clients.drive [CLIENT ...] [--keep FOLDER]

Each client that is on the PATH (claude, codex, gemini, opencode) is set up by `aos-workflow setup`
in a project and a home of its own, lists its servers, and walks a workflow. Nothing leaves this
machine. What each model was shown is kept in FOLDER.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mcp_server.core.transitions import Action
from tests.clients.scripted_model import ScriptedModel, serving
from tests.clients.steps import EXPECTED, TASK, write_project

PATIENCE = 180
_SCRIPTS = Path(sys.executable).parent
_PROMPT = "Walk the workflow two_gates_v1 on notes.md."
_UNREACHABLE = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class Driven:
    """How a client is started: what it calls itself, what it needs beside `setup`."""

    program: str
    lists: tuple[str, ...]
    runs: tuple[str, ...]
    connected: str
    checks_actions: bool = False
    """Whether it refuses an action outside of the published ones itself, in its own words."""
    variables: Callable[[str], Mapping[str, str]] = lambda _url: {}
    files: Callable[[str, Path], Mapping[str, str]] = field(default=lambda _url, _project: {})


def _claude_variables(url: str) -> Mapping[str, str]:
    return {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "scripted",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        # Else the first request goes out before any server has started.
        "MCP_CONNECTION_NONBLOCKING": "0",
    }


def _claude_files(_url: str, project: Path) -> Mapping[str, str]:
    trusted = {"projects": {str(project): {"hasTrustDialogAccepted": True}}}
    return {
        ".claude/settings.json": json.dumps({"enableAllProjectMcpServers": True}),
        ".claude.json": json.dumps(trusted),
    }


def _codex_files(url: str, project: Path) -> Mapping[str, str]:
    return {
        ".codex/config.toml": f"""\
model = "scripted"
model_provider = "scripted"
[model_providers.scripted]
name = "Scripted"
base_url = "{url}/v1"
wire_api = "responses"
[projects."{project}"]
trust_level = "trusted"
"""
    }


def _gemini_variables(url: str) -> Mapping[str, str]:
    return {
        "GOOGLE_GEMINI_BASE_URL": url,
        "GEMINI_API_KEY": "scripted",
        "GEMINI_CLI_TRUST_WORKSPACE": "true",
    }


def _gemini_files(_url: str, _project: Path) -> Mapping[str, str]:
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": False},
    }
    return {".gemini/settings.json": json.dumps(settings)}


def _opencode_files(url: str, _project: Path) -> Mapping[str, str]:
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Scripted",
        "options": {"baseURL": f"{url}/v1", "apiKey": "scripted"},
        "models": {"scripted": {"name": "Scripted", "tool_call": True}},
    }
    settings = {"autoupdate": False, "share": "disabled", "provider": {"scripted": provider}}
    return {".config/opencode/opencode.json": json.dumps(settings)}


CLIENTS: Mapping[str, Driven] = {
    "claude-code": Driven(
        program="claude",
        lists=("mcp", "list"),
        runs=("-p", _PROMPT, "--allowedTools", "mcp__aos-workflow__aos_workflow"),
        connected="✔ Connected",
        variables=_claude_variables,
        files=_claude_files,
    ),
    "codex": Driven(
        program="codex",
        lists=("mcp", "list"),
        runs=(
            "exec",
            "--skip-git-repo-check",
            "--dangerously-bypass-approvals-and-sandbox",
            _PROMPT,
        ),
        connected="enabled",
        files=_codex_files,
    ),
    "gemini": Driven(
        program="gemini",
        lists=("mcp", "list"),
        runs=("--yolo", "-m", "gemini-2.5-pro", "-p", _PROMPT),
        connected="Connected",
        checks_actions=True,
        variables=_gemini_variables,
        files=_gemini_files,
    ),
    "opencode": Driven(
        program="opencode",
        lists=("mcp", "list"),
        runs=("run", "-m", "scripted/scripted", _PROMPT),
        connected="connected",
        variables=lambda _url: {"OPENCODE_DISABLE_MODELS_FETCH": "1"},
        files=_opencode_files,
    ),
}


def drive(name: str, folder: Path) -> list[str]:
    """Drive a client in `folder`; return what is wrong."""
    client = CLIENTS[name]
    home, project = folder / "home", folder / "project"
    write_project(project)
    with serving() as model:
        for path, text in client.files(model.url, project).items():
            _write(home / path, text)
        variables = {**_environment(home), **client.variables(model.url)}

        def run(*command: str) -> str:
            return _output(command, project, variables, folder / "output.txt")

        run("aos-workflow", "setup", name)
        listed = run(client.program, *client.lists)
        run(client.program, *client.runs)
        _keep(model, folder)
    wrong = [] if client.connected in listed else [f"not connected: {listed.strip()}"]
    return wrong + problems(client, model.shown)


def problems(client: Driven, shown: list[str]) -> list[str]:
    """Return what is wrong with what a client's model was shown."""
    wrong = []
    if len(shown) != len(EXPECTED):
        wrong.append(f"{len(shown)} results instead of {len(EXPECTED)}")
    for number, (text, expected) in enumerate(zip(shown, EXPECTED, strict=False), 1):
        is_refused_there = client.checks_actions and expected[0] not in set(Action)
        wrong += [
            f"result {number} does not say {wanted}: {text[:200]}"
            for wanted in expected
            if wanted not in text and not is_refused_there
        ]
        if "-32602" in text:
            wrong.append(f"result {number} was refused by the client: {text[:200]}")
    as_json = json.dumps(TASK, ensure_ascii=False)[1:-1]
    if len(shown) > 2 and TASK.strip() not in shown[2] and as_json not in shown[2]:
        wrong.append("the task is not shown as it stands")
    return wrong


def _environment(home: Path) -> dict[str, str]:
    return {
        "HOME": str(home),
        "PATH": f"{_SCRIPTS}{os.pathsep}{os.environ['PATH']}",
        "TERM": "dumb",
        "LANG": "C.UTF-8",
        "HTTPS_PROXY": _UNREACHABLE,
        "NO_PROXY": "127.0.0.1,localhost",
    }


def _output(command: tuple[str, ...], folder: Path, variables: Mapping[str, str], log: Path) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=PATIENCE,
        check=False,
    )
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ {' '.join(command)}\n{done.stdout}\n[exit code {done.returncode}]\n")
    return done.stdout


def _keep(model: ScriptedModel, folder: Path) -> None:
    _write(folder / "requests.json", json.dumps(model.requests, ensure_ascii=False, indent=1))
    for number, text in enumerate(model.shown, 1):
        _write(folder / "shown" / f"{number:02}.txt", text)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def main() -> int:
    """Drive the clients that are named, or all that are there."""
    parser = argparse.ArgumentParser(description="Drive real clients with a scripted model")
    parser.add_argument("clients", nargs="*", choices=[[], *CLIENTS])
    parser.add_argument("--keep", type=Path, help="a new folder for what each model was shown")
    arguments = parser.parse_args()
    keep = (arguments.keep or Path(tempfile.mkdtemp(prefix="aos-clients-"))).resolve()
    failed = False
    for name in arguments.clients or CLIENTS:
        if shutil.which(CLIENTS[name].program) is None:
            print(f"{name}: {CLIENTS[name].program} is not on the PATH")  # noqa: T201
            continue
        wrong = drive(name, keep / name)
        failed = failed or bool(wrong)
        print("\n  ".join([f"{name}: {'wrong' if wrong else 'well'}", *wrong]))  # noqa: T201
    print(f"What each model was shown: {keep}")  # noqa: T201
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
