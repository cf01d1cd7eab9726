"""The looks at a gate: which probe is asked, which answer is final, and what is told of it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mcp_server.gates.model import Gate
from mcp_server.gates.observation import (
    Judgement,
    Known,
    LookFailedError,
    LookUnavailableError,
    Observation,
    Source,
)
from mcp_server.gates.patterns import PatternError
from mcp_server.gates.probes.documents import look_json
from mcp_server.gates.probes.files import ProjectFiles
from mcp_server.gates.probes.look import Found
from mcp_server.gates.probes.observer import MAX_SOURCES, Observer
from tests.gates.probes.probe_builders import look_at, written

RUN, LOOK, ASK = {"command": "test"}, {"json": "a.json"}, {"approval": "Ship it?"}

EXECUTED = Observation(Known.EXECUTED, probe="command test")
OBSERVED = Observation(Known.OBSERVED, probe="json a.json")
APPROVED = Observation(Known.APPROVED, probe="approval: Ship it?")


def finds(value, *sources):
    return lambda settings, look: Found(value, sources)


def raises(error):
    def look_in_vain(settings, look):
        raise error

    return look_in_vain


def unavailable(name, **more):
    return raises(LookUnavailableError(f"no {name}", f"get {name}", **more))


def source(name):
    return Source(name, 1, "00", datetime(2024, 5, 1, tzinfo=UTC))


def failed(seen, reason, *sources):
    return replace(seen, judgement=Judgement.FAIL, reason=reason, sources=sources)


def could_not(seen, reason, remedy, details=None):
    return replace(
        seen, judgement=Judgement.COULD_NOT_VERIFY, reason=reason, remedy=remedy, details=details
    )


def observed(root, verify, probes, *, claims=None, facts=None, **field):
    """What is seen of the one field `a`."""
    made = Gate.model_validate({"evidence_schema": {"a": {"verify": verify, **field}}})
    facts = facts or look_at(root).facts
    return Observer(ProjectFiles(root), probes).observe(made, claims or {}, facts)


def test_a_value_is_found_with_how_it_is_known_and_by_what(tmp_path):
    probes = {"json": finds(3, source("a.json"))}

    assert observed(tmp_path, LOOK, probes) == {
        "a": replace(OBSERVED, value=3, sources=(source("a.json"),))
    }


def test_a_real_probe_is_asked_with_its_settings(tmp_path):
    written(tmp_path, "a.json", '{"n": 3}')

    seen = observed(tmp_path, {"json": "a.json", "pointer": "/n"}, {"json": look_json})["a"]

    assert (seen.value, seen.probe) == (3, "json a.json at /n")
    assert [each.path for each in seen.sources] == ["a.json"]


def test_a_probe_is_told_the_field_the_session_and_all_claims(tmp_path):
    given = []
    facts = look_at(tmp_path, phase=7).facts

    def look_about(settings, look):
        given.append((settings.path, look.name, look.type, look.claims, look.facts))
        return Found(1)

    claims = {"a": 1, "b": 2}
    observed(tmp_path, LOOK, {"json": look_about}, claims=claims, facts=facts, type="integer")

    assert given == [(("a.json",), "a", "integer", claims, facts)]


def test_fields_of_one_verification_share_what_was_run(tmp_path):
    made = Gate.model_validate({"evidence_schema": {"a": {"verify": RUN}, "b": {"verify": RUN}}})

    def run(settings, look):
        look.shared["runs"] = look.shared.get("runs", 0) + 1
        return Found((look.name, look.shared["runs"]))

    observer = Observer(ProjectFiles(tmp_path), {"command": run})
    facts = look_at(tmp_path).facts

    for _ in range(2):
        seen = observer.observe(made, {}, facts)
        assert {name: each.value for name, each in seen.items()} == {"a": ("a", 1), "b": ("b", 2)}


WANTED = {
    "required": (True, {}, True),
    "required and claimed": (True, {"a": 1}, True),
    "optional": (False, {}, False),
    "optional and null": (False, {"a": None}, False),
    "optional and claimed": (False, {"a": 1}, True),
    "optional and claimed as false": (False, {"a": False}, True),
    "optional beside a claim": (False, {"b": 1}, False),
}


@pytest.mark.parametrize(("required", "claims", "looked"), WANTED.values(), ids=WANTED)
def test_what_is_required_or_claimed_is_looked_for(tmp_path, required, claims, looked):
    seen = observed(tmp_path, LOOK, {"json": finds(1)}, claims=claims, required=required)
    assert ("a" in seen) is looked


def test_a_field_without_probe_is_not_looked_for(tmp_path):
    made = Gate.model_validate({"evidence_schema": {"a": {}, "b": {"verify": LOOK}}})
    observer = Observer(ProjectFiles(tmp_path), {"json": finds(1)})

    assert list(observer.observe(made, {"a": 1}, look_at(tmp_path).facts)) == ["b"]


ALL = [ASK, RUN, LOOK]
NONE = {"approval": unavailable("person"), "command": unavailable("trust"),
        "json": unavailable("file")}  # fmt: skip
LISTS = {
    "the first that can be had": (
        ALL, {"approval": finds("Ann"), "command": finds(3), "json": finds(4)},
        replace(APPROVED, value="Ann"),
    ),
    "in the author's order": (
        [LOOK, RUN], {"command": finds(3), "json": finds(4)}, replace(OBSERVED, value=4),
    ),
    "the next, where the first cannot be had": (
        ALL, NONE | {"command": finds(3), "json": finds(4)}, replace(EXECUTED, value=3),
    ),
    "the last, where no other can be had": (
        ALL, NONE | {"json": finds(4)}, replace(OBSERVED, value=4),
    ),
    "a failed look is final": (
        [RUN, LOOK], {"command": raises(LookFailedError("2 tests failed")), "json": finds(4)},
        failed(EXECUTED, "2 tests failed"),
    ),
    "a failed look after one that cannot be had": (
        [RUN, LOOK], NONE | {"json": raises(LookFailedError("a.json is not there"))},
        failed(OBSERVED, "a.json is not there"),
    ),
    "nothing found is final": (
        [RUN, LOOK], {"command": finds(None), "json": finds(4)}, EXECUTED,
    ),
    "none can be had, and the first reason is told": (
        ALL, NONE, could_not(APPROVED, "no person", "get person"),
    ),
    "one that cannot be had is final": (
        ALL, NONE | {"command": unavailable("time", final=True), "json": finds(4)},
        could_not(EXECUTED, "no time", "get time"),
    ),
    "details are told": (
        [RUN, LOOK], {"command": unavailable("end", final=True, details={"run": 1})},
        could_not(EXECUTED, "no end", "get end", {"run": 1}),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("verify", "probes", "expected"), LISTS.values(), ids=LISTS)
def test_a_list_of_probes_gives(tmp_path, verify, probes, expected):
    assert observed(tmp_path, verify, probes) == {"a": expected}


ASSURED = {
    "none of them is too weak": ("observed", {}, replace(OBSERVED, value=4)),
    "the weak one is not asked": ("executed", {}, could_not(EXECUTED, "no trust", "get trust")),
    "not even where it fails": (
        "executed", {"json": raises(LookFailedError("a.json is not there"))},
        could_not(EXECUTED, "no trust", "get trust"),
    ),
    "the strong one is asked": ("executed", {"command": finds(3)}, replace(EXECUTED, value=3)),
}  # fmt: skip


@pytest.mark.parametrize(("least", "changed", "expected"), ASSURED.values(), ids=ASSURED)
@pytest.mark.parametrize("verify", [[RUN, LOOK], [LOOK, RUN]], ids=["strong first", "weak first"])
def test_a_probe_that_gives_less_than_the_field_asks_is_passed_over(
    tmp_path, verify, least, changed, expected
):
    if verify[0] is LOOK and least == "observed":
        expected = replace(OBSERVED, value=4)
    probes = NONE | {"json": finds(4)} | changed

    assert observed(tmp_path, verify, probes, assurance=least) == {"a": expected}


def test_the_files_that_made_a_look_fail_are_told(tmp_path):
    error = LookFailedError("no number in them", source("a"), source("b"))

    assert observed(tmp_path, LOOK, {"json": raises(error)}) == {
        "a": failed(OBSERVED, "no number in them", source("a"), source("b"))
    }


@pytest.mark.parametrize("fails", [False, True], ids=["found", "failed"])
def test_of_many_files_each_is_told_once_and_not_all(tmp_path, fails):
    files = [source(f"{number}.txt") for number in range(MAX_SOURCES + 5)]
    twice = (files[0], *files)
    probe = raises(LookFailedError("no", *twice)) if fails else finds(1, *twice)

    seen = observed(tmp_path, LOOK, {"json": probe})["a"]

    assert seen.sources == tuple(files[:MAX_SOURCES])


DESCRIBED = {
    "target": ({"json": "out/{target_stem}.json"}, "json out/target.json"),
    "session": ({"file": "{session_id}/a"}, "file s-1/a"),
    "folder": (
        {"file": ["{target_dir}/a", "{target_name}"]}, "file src/a, target.py",
    ),
    "by name": ({"json": "{options.report}"}, "json {options.report}"),
    "command": ({"command": {"argv": ["pytest", "{target_file}"]}}, "command pytest src/target.py"),
    "question": ({"approval": "Ship {target_file}?"}, "approval: Ship src/target.py?"),
}  # fmt: skip


@pytest.mark.parametrize(("verify", "shown"), DESCRIBED.values(), ids=DESCRIBED)
def test_what_is_looked_at_is_told_with_the_placeholders_filled(tmp_path, verify, shown):
    for probe in (finds(1), raises(LookFailedError("no")), unavailable("way")):
        assert observed(tmp_path, verify, dict.fromkeys(verify, probe))["a"].probe == shown


DEFECTS = [ValueError("no"), OSError("no"), KeyError("no"), PatternError("no"), RuntimeError("no"),
           RecursionError("no"), MemoryError("no"), TimeoutError("no")]  # fmt: skip


@pytest.mark.parametrize("error", DEFECTS, ids=repr)
def test_what_a_probe_raises_besides_is_no_answer_and_goes_up(tmp_path, error):
    with pytest.raises(type(error)) as raised:
        observed(tmp_path, [RUN, LOOK], {"command": raises(error), "json": finds(1)})
    assert raised.value is error


def test_a_probe_that_nobody_has_is_no_answer(tmp_path):
    with pytest.raises(KeyError):
        observed(tmp_path, [RUN, LOOK], {"json": finds(1)})
