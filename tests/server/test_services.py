"""What a client that only lists the tool does not wait for."""

import json
import subprocess
import sys

import pytest

from mcp_server.config import Settings
from mcp_server.errors import ConfigurationError
from mcp_server.server.services import Services, services_for

HEAVY = ["jsonschema", "markdown_it", "regex", "yaml", "mcp_server.core.workflow_engine",
         "mcp_server.gates.model"]  # fmt: skip

PROGRAM = f"""
import asyncio, json, pathlib, sys
from mcp_server.config import Settings
from mcp_server.server.app import build_server
server = build_server(Settings(project=pathlib.Path.cwd()))
(tool,) = asyncio.run(server.list_tools())
early = [name for name in {HEAVY} if name in sys.modules]
steps = sum(1 for _ in server.warm())
late = [name for name in {HEAVY} if name in sys.modules]
print(json.dumps([tool.name, early, late, steps]))
"""


def test_what_calls_need_is_imported_after_the_tool_was_listed_and_in_steps(tmp_path):
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, timeout=60, check=True
    )
    name, early, late, steps = json.loads(told.stdout)
    assert (name, early, late) == ("aos_workflow", [], HEAVY)
    assert steps > 3


def test_services_are_wired_once(project):
    services = Services(Settings(project=project))
    assert services.engine is services.engine
    list(services.warm())
    assert services.sessions is services.sessions
    assert services.library is services.library


def test_state_that_leads_out_of_the_project_is_refused_before_anything_is_served(project):
    outside = project.parent / "outside"
    outside.mkdir()
    (project / ".praxis-os").symlink_to(outside)
    with pytest.raises(ConfigurationError, match="leads out of the project through a link"):
        services_for(Settings(project=project))
