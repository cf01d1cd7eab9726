"""The JSON documents of commands that check definitions, and list what people decided; pure."""

from typing import Annotated, TypedDict

Warnings = Annotated[list[str], "what could not be read; also on standard error"]


class CommandRow(TypedDict):
    """A command that gates may run."""

    name: Annotated[str | None, "null if it stands in a gate"]
    argv: list[str]
    timeout: float
    env: list[str]
    source: str
    trust: Annotated[str, "trusted, changed or unknown"]
    by: Annotated[str | None, "who trusted it last"]


class CommandList(TypedDict):
    """`trust --list`."""

    commands: list[CommandRow]
    count: int
    not_trusted: int
    warnings: Warnings


class ProblemRow(TypedDict):
    """A problem of a definition."""

    severity: Annotated[str, "error or warning"]
    file: str
    line: int | None
    code: str
    message: str
    remedy: str


class Lint(TypedDict):
    """`lint`."""

    definitions: Annotated[int, "how many were looked at"]
    errors: int
    warnings: int
    problems: list[ProblemRow]


class HostileRow(TypedDict):
    """A hostile submission that a gate let through."""

    kind: str
    field: str | None
    what: str


class GateRow(TypedDict):
    """A gate that was tested."""

    workflow: str
    phase: int
    fields: int
    required: int
    claims: Annotated[int, "required fields that nobody verifies"]
    tried: int
    let_through: list[HostileRow]
    remarks: list[str]


class UntestedRow(TypedDict):
    """A workflow whose gates could not be read."""

    workflow: str
    reason: str


class GatesTest(TypedDict):
    """`gates test`."""

    holds: bool
    gates: list[GateRow]
    not_tested: list[UntestedRow]


class TokenRow(TypedDict):
    """A token of a caller over HTTP, without its secret."""

    name: str
    admin: Annotated[bool, "whether it shows the sessions of all"]
    created: str
    expires: str | None
    expired: bool


class TokenList(TypedDict):
    """`token list`."""

    tokens: list[TokenRow]
    count: int
