"""Workflows as lines and tables of the console."""

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from mcp_server.pages.words import numbered
from mcp_server.viewing.printing import Column, Row, line, print_lines, print_table
from mcp_server.viewing.shapes import FieldRow, GateView, PhaseView, WorkflowList, WorkflowView

_COLUMNS = (
    Column("workflow"),
    Column("phases", is_number=True),
    Column("category"),
    Column("source"),
    Column("what for", from_width=110),
)
_KNOWN_STYLES = {"claimed": "yellow"}


def print_workflows(console: Console, listed: WorkflowList) -> None:
    """Print a row for each workflow."""
    rows = [
        Row(
            (row["workflow_type"], str(row["phases"]), row["category"], row["source"],
             row["description"]),
            styles={0: "bold"},
        )
        for row in listed["workflows"]
    ]  # fmt: skip
    print_table(console, _COLUMNS, rows)


def print_workflow(console: Console, view: WorkflowView) -> None:
    """Print one workflow: its phases, their tasks, and what each gate asks for."""
    print_lines(console, _lines(view))


def _lines(view: WorkflowView) -> Iterator[Text]:
    yield line((view["name"], "bold"), f"  {view['workflow_type']} {view['version']}")
    if view["description"]:
        yield line(view["description"])
    facts = [view["category"], view["estimated_duration"], view["source"], *view["tags"]]
    yield line((" | ".join(fact for fact in facts if fact), "dim"))
    for phase in view["phases"]:
        yield Text()
        yield from _phase(phase)
    if view["list_option"] is not None:
        yield Text()
        yield line(
            "The other phases come from a list of work, which start is given in the option "
            f"{view['list_option']}."
        )


def _phase(phase: PhaseView) -> Iterator[Text]:
    yield line((numbered(phase["phase_number"], phase["title"]), "bold cyan"))
    if phase["description"]:
        yield line("  ", phase["description"])
    for task in phase["tasks"]:
        takes = task["estimated_duration"]
        after = (f"  ({takes})", "dim") if takes else ""
        yield line(f"  {task['task_number']}. {task['title']}", after)
    yield from _gate(phase["gate"])


def _gate(gate: GateView) -> Iterator[Text]:
    lenient = "" if gate["strict"] else ", lenient: some refusals only warn"
    override = ", a person may wave it through" if gate["allow_override"] else ""
    yield line(("  Gate", "bold"), f"{lenient}{override}")
    if not gate["fields"]:
        yield line("    asks for nothing in particular: any evidence passes, and is only claimed")
    for field in gate["fields"]:
        yield from _field(field)
    for rule in gate["rules"]:
        yield line("    rule: ", rule)


def _field(field: FieldRow) -> Iterator[Text]:
    needed = "" if field["required"] else ", may be left out"
    yield line("    ", (field["field"], "bold"), f" ({field['type']}{needed})")
    if field["description"]:
        yield line("      ", field["description"])
    if field["must_be"]:
        yield line("      must be: ", "; ".join(field["must_be"]))
    for number, known in enumerate(field["known_by"]):
        least = f" (at least {field['assurance']})" if field["assurance"] and not number else ""
        head = "      known by: " if not number else "            or: "
        yield line(head, (known, _KNOWN_STYLES.get(known, "green")), least)
