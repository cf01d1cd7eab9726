"""What takes the place of a definition that is not at hand when a session is imported.

It has the session's phases and says plainly what happened and what to do. Its gates ask for what
nothing can satisfy: a session whose gates are not known must not be completed. Pure.
"""

from mcp_server.core import views
from mcp_server.core.definitions import Definition, Phase
from mcp_server.core.transitions import Action
from mcp_server.gates.model import Checkpoint, EvidenceField, Gate

VERSION = "not-at-hand"


def remedy(workflow_type: str) -> str:
    """Return what to do with a session that follows a stand-in."""
    call = views.call(Action.START, workflow_type=workflow_type, target_file="...")
    return f"Start a new session instead: {call}"


def stand_in(workflow_type: str, phases: tuple[int, ...]) -> Definition:
    """Return a definition with these phases that no gate lets anybody through."""
    said = (
        f"The definition of {workflow_type} was not at hand when this session was imported from an"
        " older server: its tasks and gates are not known, so this session cannot go on."
    )
    gate = _closed_gate(workflow_type)
    return Definition(
        workflow_type=workflow_type,
        version=VERSION,
        name=f"{workflow_type} (definition not at hand)",
        description=f"{said} {remedy(workflow_type)}",
        category="imported",
        phases=tuple(
            Phase(
                phase_number=number,
                title=f"Phase {number} (definition not at hand)",
                description=f"{said} {remedy(workflow_type)}",
                content=f"# Phase {number} (definition not at hand)\n\n{said}\n\n"
                f"{remedy(workflow_type)}\n",
                gate=gate,
            )
            for number in phases
        ),
    )


def _closed_gate(workflow_type: str) -> Gate:
    """Return a strict gate with one required field, whose schema no value satisfies."""
    field = EvidenceField.model_validate(
        {
            "required": True,
            "description": "nothing, for no evidence can pass: the definition was not at hand when"
            f" this session was imported. {remedy(workflow_type)}",
            "not": {},
        }
    )
    return Gate(
        checkpoint=Checkpoint(strict=True, allow_override=False),
        evidence_schema={"definition_not_at_hand": field},
    )
