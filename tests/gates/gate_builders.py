"""Gates to be broken in one place, and their judgement on nothing but claims."""

from typing import Any

from mcp_server.gates.evaluation import Verdict, evaluate
from mcp_server.gates.model import Gate
from tests.builders import gate


def lenient(**changes: Any) -> Gate:
    """The small gate, not strict."""
    return gate(checkpoint={"strict": False}, **changes)


def one(required: bool = True, **field: Any) -> Gate:
    """A gate with the one field `a`."""
    return gate(evidence_schema={"a": {"required": required, **field}})


def judged(made: Gate, evidence: Any) -> Verdict:
    """What a gate makes of evidence of which the server saw nothing itself."""
    return evaluate(made, evidence, {})
