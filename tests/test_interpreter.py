"""Scripts of a checkout, started by a Python that lacks what they need."""

import os
import shlex
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from mcp_server.interpreter import own_python

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ("validate_aos_workflow.py", "cutover_to_aos_workflow.py")
PATIENCE = 60

scripts = pytest.mark.parametrize("script", SCRIPTS)
unix = pytest.mark.skipif(
    sys.platform == "win32", reason="stand-ins for programs are shell scripts"
)


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Path:
    """A Python with the standard library alone."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder / ".venv", with_pip=False)
    return own_python(folder)


@pytest.fixture
def checkout(tmp_path) -> Path:
    folder = tmp_path / "check out"
    (folder / "scripts").mkdir(parents=True)
    for script in SCRIPTS:
        shutil.copy(ROOT / "scripts" / script, folder / "scripts")
    (folder / "mcp_server").symlink_to(ROOT / "mcp_server", target_is_directory=True)
    return folder


def give_python(checkout, text):
    own = own_python(checkout)
    own.parent.mkdir(parents=True)
    own.write_text(text, encoding="utf-8")
    own.chmod(0o755)


def run(python, checkout, script, *words, **more):
    return subprocess.run(
        [str(python), str(checkout / "scripts" / script), *words],
        env=os.environ | {"COLUMNS": "80"} | more, cwd=checkout,
        capture_output=True, text=True, encoding="utf-8", check=False, timeout=PATIENCE,
    )  # fmt: skip


def refusal(python, checkout, script, lacking):
    return (
        f"{script}: {python} lacks {lacking}."
        f" Run `make dev` in {checkout}, or `{python} -m pip install '{checkout}'`.\n"
    )


def lacks(script):
    return {"validate_aos_workflow.py": "httpx2", "cutover_to_aos_workflow.py": "pydantic"}[script]


@unix
@scripts
def test_a_python_without_the_dependencies_goes_on_with_that_of_the_checkout(
    bare, checkout, script
):
    give_python(checkout, f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    done, wanted = (run(one, checkout, script, "--help") for one in (bare, sys.executable))
    assert (done.returncode, done.stdout, done.stderr) == (0, wanted.stdout, "")
    assert done.stdout.startswith(f"usage: {script} ")
    wrong = run(bare, checkout, script, "--no-such")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "unrecognized arguments: --no-such" in wrong.stderr or "required" in wrong.stderr


@scripts
def test_without_a_python_of_the_checkout_one_line_says_what_to_do(bare, checkout, script):
    done = run(bare, checkout, script, "--help")
    told = refusal(bare, checkout, script, lacks(script))
    assert (done.returncode, done.stdout, done.stderr) == (2, "", told)


@unix
@scripts
def test_a_python_of_the_checkout_that_lacks_as_much_is_tried_once(bare, checkout, script):
    trace = checkout / "started"
    give_python(checkout, f'#!/bin/sh\necho >> {shlex.quote(str(trace))}\nexec {bare} "$@"\n')
    done = run(bare, checkout, script, "--help")
    told = refusal(bare, checkout, script, lacks(script))
    assert (done.returncode, done.stdout, done.stderr) == (2, "", told)
    assert trace.read_text(encoding="utf-8") == "\n"


@unix
@scripts
def test_a_python_of_the_checkout_that_cannot_be_started_is_as_if_there_were_none(
    bare, checkout, script
):
    give_python(checkout, "no program")
    done = run(bare, checkout, script, "--help")
    told = refusal(bare, checkout, script, lacks(script))
    assert (done.returncode, done.stdout, done.stderr) == (2, "", told)
