"""All workflows that can be started, as one Markdown page for people. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from mcp_server.core import views
from mcp_server.core.transitions import Action
from mcp_server.pages.escaping import code, markdown
from mcp_server.pages.tables import bounded_list, bounded_table

BUDGET = 24_000
BROKEN_BUDGET = 4_000

_MAX_TEXT = 200


def workflow_list(shown: Sequence[Mapping[str, Any]], broken: Sequence[str]) -> str:
    """Return the page of workflows as lists show them, and of what is wrong with the others."""
    parts = ["# Workflows"]
    if shown:
        headings = ("workflow", "name", "version", "category", "phases", "takes", "what it is for",
                    "from")  # fmt: skip
        start = views.call(Action.START, workflow_type="...", target_file="...")
        parts += [
            f"Each has a page, `aos://workflows/NAME`. An agent starts one with `{start}`.",
            *bounded_table(headings, [_row(view) for view in shown], BUDGET),
        ]
    else:
        parts.append("There are none.")
    if broken:
        lines = [f"- {markdown(problem)}" for problem in broken]
        parts += ["## Cannot be read", *bounded_list(lines, BROKEN_BUDGET)]
    return "\n\n".join(parts) + "\n"


def _row(view: Mapping[str, Any]) -> tuple[str, ...]:
    name = code(str(view["workflow_type"]), in_cell=True)
    texts = ("name", "version", "category", "phases", "estimated_duration", "description", "source")
    return (name, *(markdown(str(view[key]), _MAX_TEXT) for key in texts))
