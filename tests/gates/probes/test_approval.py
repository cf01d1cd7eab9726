"""A person's yes: to this field, and to files that are still what they were then."""

import hashlib
import os

import pytest

from mcp_server.gates.observation import LookFailedError, LookUnavailableError
from mcp_server.gates.probe_settings import ApprovalSettings
from mcp_server.gates.probes.approval import digests, look_approval, subject
from mcp_server.gates.probes.look import Approved
from tests.gates.probes.probe_builders import LONG_AGO, look_at, written

PLAN = "docs/plan.md"
SETTINGS = ApprovalSettings(question="Ship {target_file}?", of=PLAN)


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def approved(files=None, *, field="field", by="Ann"):
    return Approved(field, by, LONG_AGO, {PLAN: sha("plan")} if files is None else files)


@pytest.fixture
def root(tmp_path):
    written(tmp_path, PLAN, "plan")
    return tmp_path


def asked(root, *approvals, settings=SETTINGS, **facts):
    """Return what is wanted of a person, where there is no yes."""
    with pytest.raises(LookUnavailableError) as raised:
        look_approval(settings, look_at(root, approvals=approvals, **facts))
    return raised.value


@pytest.mark.parametrize(
    ("kind", "value"), [("boolean", True), (None, True), ("integer", True), ("string", "Ann")]
)
def test_a_yes_to_files_that_are_as_they_were_is_found(root, kind, value):
    found = look_approval(SETTINGS, look_at(root, type=kind, approvals=(approved(),)))

    assert (type(found.value), found.value) == (type(value), value)
    assert {source.path: source.sha256 for source in found.sources} == {PLAN: sha("plan")}


def test_a_yes_to_no_files_is_found(root):
    found = look_approval(
        ApprovalSettings(question="Go on?"), look_at(root, approvals=(approved({}),))
    )
    assert (found.value, found.sources) == (True, ())


def test_without_a_yes_a_person_is_asked(root):
    error = asked(root)

    assert (error.reason, error.remedy, error.final) == (
        "no person has approved it yet",
        "A person approves it with `aos-workflow approve s-1`.",
        True,
    )
    assert error.details == {
        "approval_of": "field", "question": "Ship src/target.py?", "files": [PLAN],
    }  # fmt: skip


def test_nothing_that_the_agent_says_is_a_yes(root):
    claims = {"field": True, "approved": True, "by": "Ann", "approvals": [{"field": "field"}]}
    assert asked(root, claims=claims).reason == "no person has approved it yet"


def test_a_yes_to_another_field_is_none_to_this(root):
    assert asked(root, approved(field="other")).reason == "no person has approved it yet"


def test_the_yes_to_this_field_is_found_among_others(root):
    approvals = (approved({}, field="other", by="Bob"), approved())
    assert look_approval(SETTINGS, look_at(root, type="string", approvals=approvals)).value == "Ann"


def _rewrite(root):
    written(root, PLAN, "plam")


def _rewrite_with_the_same_time(root):
    before = (root / PLAN).stat()
    written(root, PLAN, "plam")
    os.utime(root / PLAN, ns=(before.st_atime_ns, before.st_mtime_ns))


def _append(root):
    written(root, PLAN, "plan\n")


def _empty(root):
    written(root, PLAN, "")


def _point_elsewhere(root):
    written(root, "docs/other.md", "other plan")
    (root / PLAN).unlink()
    (root / PLAN).symlink_to("other.md")


CHANGES = [_rewrite, _rewrite_with_the_same_time, _append, _empty, _point_elsewhere]


@pytest.mark.parametrize("change", CHANGES)
def test_a_yes_is_void_when_what_was_approved_changed(root, change):
    change(root)

    error = asked(root, approved())

    assert (error.reason, error.final) == (
        "the approval by Ann is void: docs/plan.md changed since", True,
    )  # fmt: skip
    assert error.remedy == "A person approves it with `aos-workflow approve s-1`."


def test_a_yes_holds_again_when_the_files_are_what_they_were(root):
    written(root, PLAN, "other")
    written(root, PLAN, "plan")

    assert look_approval(SETTINGS, look_at(root, approvals=(approved(),))).value is True


def test_a_yes_is_void_when_a_file_came_or_went(root):
    written(root, "docs/a.md", "a")
    settings = ApprovalSettings(question="Ship?", of="docs/*.md")

    assert asked(root, approved(), settings=settings).reason == (
        "the approval by Ann is void: docs/a.md changed since"
    )
    (root / "docs/a.md").unlink()
    gone = approved({PLAN: sha("plan"), "docs/a.md": sha("a")})
    assert asked(root, gone, settings=settings).reason == (
        "the approval by Ann is void: docs/a.md changed since"
    )


def test_a_yes_to_nothing_is_none_to_files_that_the_gate_names(root):
    assert asked(root, approved({})).reason == (
        "the approval by Ann is void: docs/plan.md changed since"
    )


def test_a_yes_to_files_is_none_to_the_question_without_them(root):
    settings = ApprovalSettings(question="Ship?")
    assert asked(root, approved(), settings=settings).reason == (
        "the approval by Ann is void: docs/plan.md changed since"
    )


def test_of_many_changes_some_are_told(root):
    names = [f"docs/{number:02}.md" for number in range(12)]
    for name in names:
        written(root, name)
    settings = ApprovalSettings(question="Ship?", of="docs/[0-9]*.md")

    error = asked(root, approved({}), settings=settings)

    assert error.reason == (
        "the approval by Ann is void: docs/00.md, docs/01.md, docs/02.md, docs/03.md, docs/04.md"
        " changed since"
    )
    assert error.details["files"] == names[:10]


UNREADABLE = {
    "not there": ("docs/none.md", "docs/none.md is not there"),
    "none matches": ("out/*.md", "no file matches out/*.md"),
    "folder": ("docs", "docs cannot be read: Is a directory"),
    "not filled": ("{evidence.plan}", "{evidence.plan} is not filled: submit plan as text"),
}


@pytest.mark.parametrize(("path", "reason"), UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("approvals", [(), (approved({}),)], ids=["not yet", "approved"])
def test_files_that_are_not_there_cannot_be_approved(root, path, reason, approvals):
    settings = ApprovalSettings(question="Ship?", of=path)

    with pytest.raises(LookFailedError) as raised:
        look_approval(settings, look_at(root, approvals=approvals))
    assert raised.value.reason == reason


def test_a_link_out_of_the_project_cannot_be_approved(tmp_path):
    written(tmp_path, "secret.md", "secret")
    root = tmp_path / "project"
    root.mkdir()
    (root / "plan.md").symlink_to("../secret.md")

    with pytest.raises(LookFailedError) as raised:
        subject(ApprovalSettings(question="Ship?", of="plan.md"), look_at(root))
    assert raised.value.reason == "plan.md leads out of the project"


def test_the_subject_is_each_file_that_the_gate_names_once(root):
    written(root, "docs/a.md", "a")
    written(root, "src/target.py", "code")
    settings = ApprovalSettings(question="Ship?", of=["docs/*.md", PLAN, "./docs/a.md",
                                                      "{target_file}"])  # fmt: skip

    sources = subject(settings, look_at(root))

    assert [source.path for source in sources] == ["docs/a.md", PLAN, "src/target.py"]
    assert digests(sources) == {
        "docs/a.md": sha("a"), PLAN: sha("plan"), "src/target.py": sha("code"),
    }  # fmt: skip


def test_signs_of_a_glob_in_what_is_filled_in_name_no_other_file(root):
    settings = ApprovalSettings(question="Ship?", of="docs/{evidence.name}")

    with pytest.raises(LookFailedError):
        subject(settings, look_at(root, claims={"name": "*.md"}))
