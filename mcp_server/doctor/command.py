"""`aos-workflow doctor`: makes every check, tells what was found, and returns the exit code."""

import sys
from pathlib import Path

from rich.console import Console

from mcp_server.config import discover_root
from mcp_server.doctor.checks import examine
from mcp_server.doctor.findings import problems_of
from mcp_server.doctor.reporting import as_json, print_report
from mcp_server.doctor.subject import Subject
from mcp_server.gates.trust import default_trust_folder
from mcp_server.setting_up.places import Machine


def run_doctor(machine: Machine, project: Path | None, console: Console, *, json: bool) -> int:
    """Examine everything around the server and return 0 if all is well, 1 if not.

    Raises ConfigurationError for a project that was named and is no folder.
    """
    if project is not None:
        discover_root(machine.environment, project)
    examinations = examine(Subject.of(machine, project, default_trust_folder()))
    if json:
        sys.stdout.write(as_json(examinations))
    else:
        print_report(examinations, console)
    return 1 if problems_of(examinations) else 0
