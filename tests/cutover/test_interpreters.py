"""Whether a server's own Python could import our package: that Python is asked."""

import shutil
import sys
from pathlib import Path

import pytest

from mcp_server.cutover import interpreters
from mcp_server.cutover.interpreters import can_import
from mcp_server.cutover.servers import ServerCommand
from tests.conftest import REPOSITORY
from tests.cutover.projects import lay

HERE = {"PYTHONPATH": str(REPOSITORY)}
SHADOW = {"mcp_server/__init__.py": "", "server.py": "", "in/server.py": ""}


def asked(root: Path, *argv: str, **fields: object) -> bool:
    return can_import(root, ServerCommand(argv, env=HERE, **fields))


def test_a_python_that_has_our_package_can(tmp_path):
    assert asked(tmp_path, sys.executable, "-u", "-W", "ignore", "server.py")


@pytest.mark.parametrize("argv", [("server.py",), ("-m", "server"), ("-c", "import server")])
def test_a_package_of_the_same_name_shadows_ours(argv, tmp_path):
    lay(tmp_path, SHADOW)
    assert not asked(tmp_path, sys.executable, *argv)


def test_where_the_script_stands_decides_and_not_where_it_runs(tmp_path):
    lay(tmp_path, SHADOW)
    assert asked(tmp_path, sys.executable, "in/server.py")


@pytest.mark.parametrize("version", ["0.0.0"])
def test_another_version_cannot(version, tmp_path, monkeypatch):
    monkeypatch.setattr(interpreters, "__version__", version)
    assert not asked(tmp_path, sys.executable, "server.py")


@pytest.mark.parametrize("argv", [
    ("no-such-command",), ("/no/python", "server.py"), ("git", "server.py"),
])  # fmt: skip
def test_what_cannot_be_asked_cannot(argv, tmp_path):
    assert not asked(tmp_path, *argv)


def test_a_python_that_hangs_cannot(tmp_path, monkeypatch):
    monkeypatch.setattr(interpreters, "TIME_LIMIT", 0.0)
    assert not asked(tmp_path, sys.executable, "server.py")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no first lines there")
@pytest.mark.parametrize("first", ["#!{python}", "#!/usr/bin/env {python}"])
def test_a_console_script_names_its_python(first, tmp_path):
    script = tmp_path / "bin" / "my-server"
    lay(tmp_path, {"bin/my-server": first.format(python=sys.executable) + "\nimport x\n"})
    script.chmod(0o755)
    assert asked(tmp_path, "bin/my-server")
    assert shutil.which(str(script))
