"""How large the tool's definition and its answers are, over a full walk of each built-in workflow.

Both halves of a result are measured, in bytes of UTF-8: the structured one as compact JSON, the
text as it is. An answer consists of

- its content: the phase or the task as the workflow's author wrote it, which includes what the gate
  asks for, and what the gate says of each field;
- records, of which there may be many: sessions, workflows, attempts, refusals, and what was
  submitted to the one phase that get_state is asked for;
- everything else, which is what the limit is for. Records have a limit of their own.
"""

import asyncio
import contextlib
import importlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mcp_server
from benchmarks.tables import Section
from mcp_server.config import PROJECT_VARIABLE
from mcp_server.core.definitions import Phase
from mcp_server.core.rendering import render
from mcp_server.example import Example, claims
from mcp_server.server.services import library_for
from mcp_server.server.tools.workflow_tools import aos_workflow

WORKFLOWS = Path(mcp_server.__file__).parent / "workflows"

BESIDE_CONTENT, WITH_RECORDS = 1_024, 8_192
"""Bytes that a half of an answer may have beside its content: without records, and with them."""

INPUT_LIMIT, TOOL_LIMIT = 4_608, 8_192
"""Bytes of the tool's name, description and input schema, and of all of its definition."""

_OF_THE_GATE = ("missing_evidence", "validation_errors", "unverified")
_RECORDS = ("sessions", "workflows", "errors")
_OF_ONE_PHASE = "get_state (one phase)"

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Halves:
    """The bytes of the structured half and of the text."""

    structured: int
    text: int

    @classmethod
    def of(cls, answer: Answer) -> "Halves":
        """Measure an answer."""
        structured = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
        return cls(len(structured.encode()), len(render(answer).encode()))

    @property
    def larger(self) -> int:
        """The bytes of the half that has more."""
        return max(self.structured, self.text)


@dataclass(slots=True)
class Measured:
    """The largest that the answers to one action came to."""

    calls: int = 0
    whole: Halves = field(default_factory=lambda: Halves(0, 0))
    with_records: int = 0
    beside: int = 0
    example: Answer = field(default_factory=dict)

    def add(self, answer: Answer, records: Sequence[str] = _RECORDS) -> None:
        """Take an answer in, of whose fields `records` may be many."""
        self.calls += 1
        whole = Halves.of(answer)
        if whole.larger > self.whole.larger:
            self.whole, self.example = whole, answer
        bare = without_content(answer)
        self.with_records = max(self.with_records, Halves.of(bare).larger)
        self.beside = max(self.beside, Halves.of(without_records(bare, records)).larger)

    def merge(self, other: "Measured") -> None:
        """Take in what another walk came to."""
        self.calls += other.calls
        if other.whole.larger > self.whole.larger:
            self.whole, self.example = other.whole, other.example
        self.with_records = max(self.with_records, other.with_records)
        self.beside = max(self.beside, other.beside)


def without_content(answer: Answer) -> Answer:
    """Return an answer without the words of the workflow's author."""
    bare = {name: [] if name in _OF_THE_GATE else value for name, value in answer.items()}
    if "phase_content" in bare:
        kept = ("phase_number", "artifacts_from_previous_phases")
        bare["phase_content"] = {name: bare["phase_content"][name] for name in kept}
    if "previous_errors" in bare:
        bare["previous_errors"] = [_without_details(error) for error in bare["previous_errors"]]
    if "task_content" in bare:
        bare["task_content"] = {}
    if "next_phase" in bare:
        bare["next_phase"] = {"phase_number": bare["next_phase"]["phase_number"]}
    return bare


def _without_details(error: Answer) -> Answer:
    return {**error, "details": {}}


def without_records(answer: Answer, records: Sequence[str] = _RECORDS) -> Answer:
    """Return an answer without what there may be many of."""
    bare = {name: type(value)() if name in records else value for name, value in answer.items()}
    if "session" in bare:
        bare["session"] = {**bare["session"], "phase_history": []}
    return bare


def walk(name: str, project: Path) -> dict[str, Measured]:
    """Walk a built-in workflow in `project`, refused once at each gate, and measure all answers."""
    with _served(project):
        return asyncio.run(_walk(name, project))


@contextlib.contextmanager
def _served(project: Path) -> Iterator[None]:
    before = os.environ.get(PROJECT_VARIABLE)
    os.environ[PROJECT_VARIABLE] = str(project)
    try:
        yield
    finally:
        os.environ.pop(PROJECT_VARIABLE)
        if before is not None:
            os.environ[PROJECT_VARIABLE] = before


async def _walk(name: str, project: Path) -> dict[str, Measured]:
    measured: dict[str, Measured] = {}

    async def call(action: str, **arguments: Any) -> Answer:
        answer = await aos_workflow(action, **arguments)
        if answer["status"] == "error":
            measured.setdefault(f"{action} (refused)", Measured()).add(answer)
        elif action == "get_state" and "phase" in arguments:
            of_one = measured.setdefault(_OF_ONE_PHASE, Measured())
            of_one.add(answer, (*_RECORDS, "artifacts"))
        else:
            measured.setdefault(action, Measured()).add(answer)
        return answer

    example = Example.of(WORKFLOWS / name)
    if example is None:
        raise ValueError(f"{name} has no example to walk by")
    example.begin(project)
    definition = library_for(project).load(name, example.options)
    await call("list_workflows")
    begun = await call("start", workflow_type=name, target_file=example.target_file,
                       options=example.options)  # fmt: skip
    session = {"session_id": begun["session_id"]}
    for phase in definition.phases:
        await _phase(call, session, phase, lambda n: example.work(n, project))
        if phase is not definition.phases[-1]:
            await call("pause", **session, checkpoint_note="Until tomorrow")
            await call("resume", **session)
    await call("rollback", **session, to_phase=definition.phases[0].phase_number)
    await call("delete_session", **session)
    return measured


async def _phase(
    call: Callable[..., Any], session: Mapping[str, str], phase: Phase, work: Callable[[int], None]
) -> None:
    number = phase.phase_number
    await call("get_phase", **session)
    for task in phase.tasks:
        await call("get_task", **session, task_number=task.task_number)
    await call("complete_phase", **session, phase=number, evidence={"unknown": 1})
    await call("retry_phase", **session, phase=number, reset_evidence=True)
    work(number)
    passed = await call("complete_phase", **session, phase=number, evidence=claims(phase.gate))
    if passed["status"] != "success":
        raise RuntimeError(json.dumps(passed))
    for action in ("get_state", "get_session", "get_errors"):
        await call(action, **session)
    await call("get_state", **session, phase=number)
    await call("list_sessions")


def tokens() -> Callable[[str], int] | None:
    """Return what counts tokens, if tiktoken is installed and has its tables at hand."""
    try:
        encoding = importlib.import_module("tiktoken").get_encoding("o200k_base")
    except Exception:  # noqa: BLE001 - not installed, or no network for its tables: bytes will do
        return None
    return lambda text: len(encoding.encode(text))


def tool() -> dict[str, Any]:
    """Return the tool's definition as clients list it."""
    from mcp_server.config import Settings  # noqa: PLC0415 - the walk needs no SDK
    from mcp_server.server.app import build_server  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        server = build_server(Settings(project=Path(folder)))
        (listed,) = asyncio.run(server.list_tools())
    return listed.model_dump(mode="json", by_alias=True, exclude_none=True)


def tool_sizes() -> dict[str, tuple[str, int]]:
    """Return the two parts of the tool's definition that have limits, as text and limit."""
    listed = tool()
    inputs = {name: listed[name] for name in ("name", "description", "inputSchema")}
    return {
        "name, description, input schema": (_compact(inputs), INPUT_LIMIT),
        "with the output schema": (
            _compact({**inputs, "outputSchema": listed["outputSchema"]}),
            TOOL_LIMIT,
        ),
    }


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


TEXT = """\
## Small: the tool's definition, and answers over a full walk of each built-in workflow

An answer is its content (the phase or the task as the workflow's author wrote it, with what its
gate asks for and says of each field), records of which there may be many (sessions, workflows,
attempts, refusals, the artifacts of one phase), and everything else. In either half, everything
else is at most {beside:,} bytes, with records {records:,}; `tests/test_sizes.py` pins both. Bytes
of UTF-8{tokens}; the largest answer of each action over the walks of all five, each refused once at
every gate.

{tool}

{answers}
"""


def section() -> Section:
    """Measure."""
    measured: dict[str, Measured] = {}
    for name in sorted(path.parent.name for path in WORKFLOWS.glob("*/metadata.json")):
        with tempfile.TemporaryDirectory(prefix="aos-bench-") as folder:
            for action, found in walk(name, Path(folder)).items():
                measured.setdefault(action, Measured()).merge(found)
    count = tokens()
    definition = tool_sizes()
    text = TEXT.format(
        beside=BESIDE_CONTENT, records=WITH_RECORDS, tokens=", and tokens" if count else "",
        tool=_tool_table(definition, count), answers=_answer_table(measured, count),
    )  # fmt: skip
    held = all(
        found.beside <= BESIDE_CONTENT and found.with_records <= WITH_RECORDS
        for found in measured.values()
    ) and all(len(part.encode()) <= limit for part, limit in definition.values())
    return Section(text, holds=held)


def _tool_table(parts: Mapping[str, tuple[str, int]], count: Callable[[str], int] | None) -> str:
    lines = ["| the tool | bytes | at most |", "|---|---|---|"]
    for name, (text, limit) in parts.items():
        told = f" ({count(text):,} tokens)" if count else ""
        lines.append(f"| {name} | {len(text.encode()):,}{told} | {limit:,} |")
    return "\n".join(lines)


def _answer_table(measured: Mapping[str, Measured], count: Callable[[str], int] | None) -> str:
    lines = [
        "| largest answer to | structured | text | besides content, with records | without |",
        "|---|---|---|---|---|",
    ]
    for action, found in sorted(measured.items()):
        told = f" ({count(render(found.example)):,} tokens)" if count else ""
        lines.append(
            f"| {action} | {found.whole.structured:,} | {found.whole.text:,}{told}"
            f" | {found.with_records:,} | {found.beside:,} |"
        )
    return "\n".join(lines)
