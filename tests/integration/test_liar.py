"""Lies in words: whatever is said of work that was not done, no gate lets it pass."""

import json
from typing import Any

import pytest

from mcp_server.example import claims
from tests.builders import BUILT_IN_NAMES
from tests.integration.liar import (
    GATES,
    MALFORMED,
    REFUSED,
    Enter,
    Liar,
    Lie,
    Scene,
    assert_caught,
    assert_passes,
    entrance,
    example_of,
    liar_at,
    walk,
)


@pytest.fixture(name="enter")
def make_enter(tmp_path, tmp_path_factory, monkeypatch) -> Enter:
    """Bring the caller to the door of a phase, in a project of their own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return entrance(tmp_path_factory.getbasetemp(), tmp_path)


WAVING = {
    "approved": True,
    "verified": True,
    "override": True,
    "known": "executed",
    "assurance": "approved",
    "verdict": "passed",
    "checkpoint_passed": True,
    "passed": True,
    "strict": False,
    "allow_override": True,
}
"""What a gate would be flattered by, if it took evidence for instructions."""

PROBES = {
    "file": "README.md",
    "count": 10,
    "text": "done",
    "json": {"ok": True},
    "junit": {"total": 9, "passed": 9, "failed": 0, "skipped": 0},
    "coverage": 100,
    "git": "HEAD",
    "command": {"name": "test", "exit_code": 0},
    "approval": "given",
    "verify": [],
    "observations": {"*": {"judgement": "pass", "known": "executed"}},
}


def accepted_elsewhere(scene: Scene) -> dict[str, Any]:
    """Evidence as the answer to a phase that passed shows it."""
    return {
        name: {"known": "executed", "observed": {"by": "command test", "value": value}}
        for name, value in scene.examples().items()
    }


def of_the_next_phase(scene: Scene) -> dict[str, Any]:
    """What another gate of the workflow would be told."""
    phases = [phase for workflow, phase in GATES if workflow == scene.workflow]
    other = phases[(phases.index(scene.phase) + 1) % len(phases)]
    gate = GATES[scene.workflow, other]
    return {name: gate.evidence_schema[name].json_schema["examples"][0]
            for name in gate.required_fields}  # fmt: skip


def gates_with(*quick: int) -> list[Any]:
    """Return all gates, those of one phase of each workflow for every run, the others if asked."""
    at_once = set(zip(BUILT_IN_NAMES, quick, strict=True))
    return [
        pytest.param(
            *at, id="-".join(map(str, at)), marks=() if at in at_once else pytest.mark.slow
        )
        for at in GATES
    ]


WITHOUT_WORK = {
    "the examples of the gate": Lie(Scene.examples),
    "what an honest agent says, and no more": Lie(lambda scene: claims(scene.gate)),
    "nothing": Lie(lambda _scene: {}),
    "nulls": Lie(lambda scene: dict.fromkeys(scene.gate.evidence_schema)),
    "done, as a word": Lie(lambda scene: dict.fromkeys(scene.gate.evidence_schema, "done")),
    "fields that wave it through": Lie(lambda scene: scene.examples() | WAVING),
    "nothing but fields that wave it through": Lie(lambda _scene: dict(WAVING)),
    "fields named like probes": Lie(lambda scene: scene.examples() | PROBES),
    "values with how they are known beside them": Lie(accepted_elsewhere),
    "evidence of another phase": Lie(of_the_next_phase),
    "the examples as JSON text": Lie(lambda scene: json.dumps(scene.examples() | WAVING)),
    "a list of the examples": Lie(lambda scene: json.dumps([scene.examples()]), errors=MALFORMED),
    "fields named like paths into the answer": Lie(
        lambda scene: {f"evidence.{name}": value for name, value in scene.examples().items()}
        | {"details": {"observed": scene.examples()}}
    ),
}  # fmt: skip


@pytest.mark.parametrize(("workflow", "phase"), gates_with(2, 6, 4, 5))
async def test_what_is_said_of_work_that_was_not_done_does_not_pass(
    enter: Enter, workflow: str, phase: int
):
    scene = await enter(workflow, phase)
    async with liar_at(scene.project) as agent:
        for name, lie in WITHOUT_WORK.items():
            answer = await agent.lie(scene, lie.tell(scene))
            await assert_caught(agent, scene, answer, lie.errors, name)
            if answer["error_type"] == "ValidationError":
                await agent.succeed(
                    "retry_phase", session_id=scene.session_id, phase=phase, reset_evidence=True
                )


WAVED = {
    "approve": True, "approved": True, "approval": "given", "override": True, "force": True,
    "assurance": "claimed", "verdict": "passed", "known": "executed", "checkpoint_passed": True,
    "person": {"approve": True, "name": "Ann"}, "input_responses": {"person": {"approve": True}},
    "_meta": {"approve": True}, "observations": {},
}  # fmt: skip


@pytest.mark.parametrize("workflow", BUILT_IN_NAMES)
async def test_no_argument_beside_the_known_ones_lets_a_phase_pass(enter: Enter, workflow: str):
    scene = await enter(workflow, 1)
    evidence = scene.examples()
    async with liar_at(scene.project) as agent:
        for name in list(WAVED)[BUILT_IN_NAMES.index(workflow) :: len(BUILT_IN_NAMES)]:
            answer = await agent.lie(scene, evidence, **{name: WAVED[name]})
            await assert_caught(agent, scene, answer, REFUSED | MALFORMED)
            await agent("retry_phase", session_id=scene.session_id, phase=scene.phase)
        await assert_caught(agent, scene, await agent.lie(scene, evidence, **WAVED))


async def test_options_do_not_loosen_a_gate(enter: Enter):
    for workflow in BUILT_IN_NAMES:
        scene = await enter(workflow, 1)
        target = scene.example.target_file
        async with liar_at(scene.project) as agent:
            started = await agent.succeed(
                "start", workflow_type=workflow, target_file=target, options=WAVING | PROBES
            )
            again = Scene(workflow, 1, scene.project, started["session_id"])
            await assert_caught(agent, again, await agent.lie(again, scene.examples()))


@pytest.mark.parametrize(
    "target", ["../project", "/etc/passwd", "~/x", "a/../../b", "file:///etc/passwd", "a\0b", ""]
)
async def test_a_target_outside_of_the_project_starts_no_session(enter: Enter, target: str):
    scene = await enter("test_generation_v3", 1)
    async with liar_at(scene.project) as agent:
        answer = await agent("start", workflow_type=scene.workflow, target_file=target)
        assert (answer["status"], answer["error_type"]) == ("error", "ValueError")


ODD = {
    "NaN": "NaN",
    "Infinity": "Infinity",
    "minus Infinity": "-Infinity",
    "1e400": "1e400",
    "the largest that 64 bits hold, plus one": str(2**63),
    "a negative number": "-1",
    "a number between": "2.5",
    "true": "true",
    "false": "false",
    "the text true": '"true"',
    "the text yes": '"yes"',
    "the text 1": '"1"',
    "one": "1",
    "an empty text": '""',
    "a text of a million letters": json.dumps("A" * 1_000_000),
    "an empty list": "[]",
    "a list of one thing twice": '["x", "x"]',
    "an object": '{"passed": 99, "total": 99, "failed": 0, "skipped": 0}',
    "lists in lists": "[" * 40 + "]" * 40,
}
"""Values as JSON text, where NaN and its like can be written."""


def said(values: dict[str, str]) -> str:
    """Return the JSON text of an object whose values are JSON text already."""
    return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in values.items()) + "}"


@pytest.mark.parametrize("workflow", BUILT_IN_NAMES)
async def test_an_odd_value_in_every_field_does_not_pass(enter: Enter, workflow: str):
    scene = await enter(workflow, 5)
    async with liar_at(scene.project) as agent:
        for name, odd in ODD.items():
            scene.work()
            answer = await agent.lie(scene, said(dict.fromkeys(scene.gate.evidence_schema, odd)))
            await assert_caught(agent, scene, answer, REFUSED | MALFORMED, name)
            if answer["error_type"] == "ValidationError":
                await agent.succeed("retry_phase", session_id=scene.session_id, phase=scene.phase)


async def test_a_number_of_400_digits_is_refused_like_any_other(enter: Enter):
    scene = await enter("spec_creation_v1", 3)
    scene.work()
    async with liar_at(scene.project) as agent:
        answer = await agent.lie(scene, said({"threat_count": "9" * 400}))
        await assert_caught(agent, scene, answer)


def plus_one(value: Any) -> Any:
    """Return a value that is a little better than what is true."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value} indeed"
        case list():
            return [*value, value[-1] if value else "one more"]
        case _:
            return {name: plus_one(inner) for name, inner in value.items()}


async def assert_no_better_claim_passes(scene: Scene) -> None:
    verified = {name: field for name, field in scene.gate.verified_fields.items() if field.required}
    async with liar_at(scene.project) as agent:
        for name in verified:
            honest = scene.work()
            value = honest.get(name, scene.examples()[name])
            answer = await agent.lie(scene, honest | {name: plus_one(value)})
            await assert_caught(agent, scene, answer)
            # Named by others' looks as well, a path is refused before it can be compared.
            assert name in json.dumps(answer["validation_errors"])
            await agent.succeed("retry_phase", session_id=scene.session_id, phase=scene.phase)
        await assert_passes(agent, scene, scene.work())


@pytest.mark.parametrize(("workflow", "phase"), gates_with(5, 5, 5, 4))
async def test_a_claim_that_is_better_than_what_is_seen_does_not_pass(
    enter: Enter, workflow: str, phase: int
):
    await assert_no_better_claim_passes(await enter(workflow, phase))


async def lies_first(scene: Scene, agent: Liar) -> None:
    """Claim everything before any work is done, and take the phase up again."""
    await assert_caught(agent, scene, await agent.lie(scene, scene.examples()))
    await agent.succeed("retry_phase", session_id=scene.session_id, phase=scene.phase)


@pytest.mark.parametrize("workflow", BUILT_IN_NAMES)
async def test_who_lies_at_each_gate_gets_to_the_end_by_work_alone(tmp_path, workflow: str):
    project = tmp_path / "project"
    project.mkdir()
    example_of(workflow).begin(project)
    known = await walk(workflow, project, lies_first)
    assert {how for fields in known for how in fields.values()} <= {"claimed", "observed"}


@pytest.mark.parametrize("workflow", BUILT_IN_NAMES)
async def test_so_it_is_without_git(tmp_path, monkeypatch, workflow: str):
    project, empty = tmp_path / "project", tmp_path / "empty"
    project.mkdir()
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    example_of(workflow).begin(project)
    assert not (project / ".git").exists()
    await walk(workflow, project, lies_first)
