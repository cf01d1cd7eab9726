"""Machines to set clients up on: a home and a PATH of their own."""

import os
from pathlib import Path

from mcp_server.setting_up.places import Machine

COMMANDS = "aos-workflow.exe" if os.name == "nt" else "aos-workflow"


def program(folder: Path, name: str = COMMANDS) -> Path:
    """Put an executable file into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def machine(tmp_path: Path, platform: str = "linux", **environment: str) -> Machine:
    """A machine whose PATH finds the command in `bin`, unless `environment` says otherwise."""
    program(tmp_path / "bin")
    return Machine(
        platform=platform,
        environment={"PATH": str(tmp_path / "bin")} | environment,
        home=tmp_path / "home",
        prefix=tmp_path / "python",
        scripts=tmp_path / "python" / "bin",
        python=tmp_path / "python" / "bin" / "python",
    )
