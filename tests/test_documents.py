"""The documents say what is so: generated parts are fresh, examples work, links lead somewhere."""

import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mcp_server.server.tools.workflow_tools import aos_workflow

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_what_is_generated_is_fresh():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "scripts" / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert sorted(generate.stale()) == []


@pytest.mark.parametrize("snippet", [block for block in blocks("json") if "ervers" in block])
def test_each_json_snippet_starts_the_server(snippet):
    (servers,) = json.loads(snippet).values()
    assert servers["aos-workflow"]["command"] == "aos-workflow"
    assert servers["aos-workflow"]["args"][0] == "serve"


def test_the_toml_snippet_starts_the_server():
    (snippet,) = blocks("toml")
    server = tomllib.loads(snippet)["mcp_servers"]["aos-workflow"]
    assert [server["command"], *server["args"]] == ["aos-workflow", "serve"]


@pytest.fixture
def release(project: Path) -> Path:
    """The project of the README's own workflow."""
    files = re.findall(r"\n`(\.praxis-os/workflows/\S+)`\n\n```\w+\n(.*?)```", README, re.DOTALL)
    assert len(files) == 4
    for name, content in files:
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return project


async def test_the_workflow_of_the_readme_can_be_walked(release):
    started = await aos_workflow("start", workflow_type="release_v1", target_file="CHANGELOG.md")
    assert started["phase_content"]["description"] == "Know what goes out, and how to undo it"
    session = started["session_id"]
    task = await aos_workflow("get_task", session, task_number=1)
    assert len(task["task_content"]["execution_steps"]) == 2
    refused = await aos_workflow(
        "complete_phase", session, phase=1, evidence={"version": "1", "commits": 3, "noted": 0}
    )
    version, noted = refused["validation_errors"]
    assert version == (
        r'version: expected pattern "^\\d+\\.\\d+\\.\\d+$", got "1"; submit: The version to be'
        " released, such as 1.4.0"
    )
    assert noted == (
        'noted: expected at_least (lambda x, least: x >= least) with {"least":1}, got 0;'
        " submit: Number of lines"
        " added to CHANGELOG.md"
    )
    await aos_workflow("retry_phase", session, phase=1)
    evidence = {"version": "1.4.0", "commits": 3, "noted": 2}
    passed = await aos_workflow("complete_phase", session, phase=1, evidence=evidence)
    assert passed["workflow_complete"] is True


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
        f"assert mcp_server.__file__.startswith({str(site)!r}); sys.exit(run_demo())"
    )
    environment = {"PYTHONPATH": str(site), "PATH": "", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True,
        text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "Everything was as expected." in done.stdout
