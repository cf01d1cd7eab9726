"""The documents say what is so: generated parts are fresh, examples work, links lead somewhere."""

import importlib.util
import json
import re
import subprocess
import sys
import sysconfig
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest
from mcp import Client, StdioServerParameters
from typer.testing import CliRunner

from mcp_server.cli import app
from mcp_server.core.criteria_gate import parse_gates
from mcp_server.core.definitions import Metadata
from mcp_server.gates.commands import parse_commands
from mcp_server.gates.model import Gate
from mcp_server.gates.observation import LookFailedError
from mcp_server.gates.plugins import GROUP
from mcp_server.gates.probe_settings import KNOWN_PROBES, parse_verify, session_values
from mcp_server.gates.probes.files import ProjectFiles
from mcp_server.gates.probes.look import Look, PhaseFacts, ProbeKind
from mcp_server.gates.yaml_source import YamlSource
from mcp_server.setting_up.clients import CLIENTS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
GATES = (ROOT / "docs" / "gates.md").read_text(encoding="utf-8")
WORKFLOWS = (ROOT / "docs" / "workflows.md").read_text(encoding="utf-8")
FIGURES = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
SETUP = (ROOT / "docs" / "setup.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
MODULES = {path for path in (ROOT / "mcp_server").rglob("*.py")
           if "workflows" not in path.parts and path.stem != "__init__"}  # fmt: skip


def blocks(language: str, document: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", document, re.DOTALL)


def module_of(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_generated_is_fresh():
    assert sorted(module_of(ROOT / "scripts" / "generate.py").stale()) == []


def gates_of(document: str) -> list[Gate]:
    data = [YamlSource(block).data for block in blocks("yaml", document)]
    return [Gate.model_validate(part) for part in data if "evidence_schema" in part]


@pytest.mark.parametrize("document", [README, GATES], ids=["README", "gates"])
def test_each_yaml_block_is_a_gate_or_the_commands_of_a_project(document):
    gates = gates_of(document)
    others = [block for block in blocks("yaml", document) if "evidence_schema" not in block]
    assert all(gate.verified_fields or gate.validators for gate in gates)
    assert all(parse_commands(block) for block in others)
    assert gates
    assert len(others) == 1


@pytest.mark.parametrize("name", KNOWN_PROBES)
def test_each_probe_has_a_section_with_a_table_and_an_example(name):
    (section,) = re.findall(rf"^### {name}\n(.*?)(?=^##)", GATES, re.DOTALL | re.MULTILINE)
    (gate,) = gates_of(section)
    assert name in {probe.probe for f in gate.verified_fields.values() for probe in f.probes}
    for setting in KNOWN_PROBES[name].model_fields:
        assert f"| `{setting}` |" in section


def test_the_short_forms_mean_what_the_page_says():
    for text in re.findall(r"`(\{git: .*?\})`", GATES):
        (probe,) = parse_verify(YamlSource(text).data)
        assert probe.check in text.replace("globs", "")
    long, short = (parse_verify(YamlSource(text).data) for text in
                   ("{git: changed, matching: [globs]}", "{git: {changed: [globs]}}"))  # fmt: skip
    assert long == short


def test_the_placeholders_are_those_that_are_filled():
    (table,) = re.findall(r"^\| placeholder \|.*?\n\n", GATES, re.DOTALL | re.MULTILINE)
    rows = dict(re.findall(r"^\| `\{([\w.]+)\}` \| (.*) \|$", table, re.MULTILINE))
    values = session_values("src/pay/invoice.py", "the session's id")
    assert rows.keys() == values.keys() | {"options.KEY", "evidence.FIELD"}
    assert all(value in rows[name] for name, value in values.items())


def test_the_probe_of_the_page_looks(tmp_path, monkeypatch):
    (source,) = blocks("python", GATES)
    (declared,) = blocks("toml", GATES)
    ((name, target),) = tomllib.loads(declared)["project"]["entry-points"][GROUP].items()
    module_name, _, attribute = target.partition(":")
    path = tmp_path / f"{module_name}.py"
    path.write_text(source, encoding="utf-8")
    kind = getattr(module_of(path), attribute)
    assert isinstance(kind, ProbeKind)
    assert kind.settings.probe == name

    monkeypatch.setitem(KNOWN_PROBES, name, kind.settings)
    (verify,) = re.findall(rf"`verify: (\{{{name}: .*?\}})`", GATES)
    (settings,) = parse_verify(YamlSource(verify).data)
    report = tmp_path / settings.path[0]
    report.parent.mkdir()
    results = [{"level": "error"}, {"level": "note"}, {}]
    report.write_text(json.dumps({"runs": [{"results": results}]}), encoding="utf-8")
    facts = PhaseFacts("s", "a.py", {}, 1, 1, datetime.now(UTC) - timedelta(minutes=1))
    look = Look(ProjectFiles(tmp_path), facts, {})
    assert kind.look(settings, look).value == 1
    report.write_text("[]", encoding="utf-8")
    with pytest.raises(LookFailedError, match="is not a SARIF report"):
        kind.look(settings, look)


@pytest.mark.parametrize("line", sorted(
    {line for document in (README, GATES, WORKFLOWS, FIGURES, SETUP)
     for line in re.findall(r"^\$ aos-workflow (.*?)\s*(?:#.*)?$", document, re.MULTILINE)}
))  # fmt: skip
def test_each_command_line_exists(line):
    words = line.split()
    count = 2 if words[0] in {"gates", "token"} else 1
    shown = CliRunner().invoke(app, [*words[:count], "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    plain = re.sub(r"\x1b\[[\d;]*m", "", shown.stdout)
    assert [word for word in words[count:] if word.startswith("--") and word not in plain] == []


def test_the_page_on_workflows_shows_what_the_server_reads():
    (metadata,) = blocks("json", WORKFLOWS)
    (gates,) = blocks("yaml", WORKFLOWS)

    assert Metadata.model_validate_json(metadata).dynamic_config.parser == "spec_tasks_parser"
    assert list(parse_gates(gates).phases) == [1]


def test_each_module_is_on_the_tour():
    named = set(re.findall(r"`(\w+)`", ARCHITECTURE))
    assert sorted(path.stem for path in MODULES if path.stem not in named) == []


def snippets() -> dict[str, list[str]]:
    """The command line of each client whose snippet the first page has."""
    (part,) = re.findall(r"<!-- generated: snippets -->\n(.*?)<!-- end -->", README, re.DOTALL)
    lines = {}
    for titles, language, block in re.findall(r"(\*\*.*?):\n\n```(\w+)\n(.*?)```", part, re.DOTALL):
        (servers,) = (json.loads if language == "json" else tomllib.loads)(block).values()
        entry = servers["aos-workflow"]
        line = [entry["command"], *entry.get("args", [])] if "args" in entry else entry["command"]
        lines |= dict.fromkeys(re.findall(r"\*\*(.*?)\*\*", titles), line)
    return lines


def test_each_client_that_can_be_set_up_has_a_snippet():
    assert sorted(snippets()) == sorted(client.title for client in CLIENTS.values())


@pytest.mark.parametrize("line", sorted({tuple(line) for line in snippets().values()}))
async def test_each_snippet_starts_the_server(line, project):
    named = {"${workspaceFolder}": str(project), "/path/to/your/project": str(project)}
    command, *arguments = [named.get(word, word) for word in line]
    parameters = StdioServerParameters(
        command=command,
        args=arguments,
        cwd=project,
        env={"PATH": sysconfig.get_path("scripts"), "HOME": str(project.parent)},
    )
    async with Client(parameters) as client:
        listed = await client.list_tools()
    assert [tool.name for tool in listed.tools] == ["aos_workflow"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path):
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)#\s]+)", text):
        if not link.startswith("http"):
            assert (path.parent / link).exists(), link


@pytest.mark.parametrize("target", re.findall(r"\$ make (\w+)", README))
def test_each_make_target_of_the_readme_exists(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_a_wheel_alone_holds_everything_that_the_demo_needs(tmp_path):
    wheels, site = tmp_path / "wheels", tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-deps", "--no-index"]
    subprocess.run(
        [*pip, "wheel", *offline, "--no-build-isolation", "-w", str(wheels), str(ROOT)], check=True
    )
    (wheel,) = wheels.iterdir()
    assert wheel.name.startswith("aos_workflow-")
    subprocess.run([*pip, "install", *offline, "--target", str(site), str(wheel)], check=True)
    script = (
        "import mcp_server, sys; from mcp_server.demo import run_demo;"
        "from mcp_server.scaffolding import files_of; files_of('a_v1', 4);"
        f"assert mcp_server.__file__.startswith({str(site)!r}); sys.exit(run_demo())"
    )
    environment = {"PYTHONPATH": str(site), "PATH": "", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True,
        text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "Everything was as expected." in done.stdout
