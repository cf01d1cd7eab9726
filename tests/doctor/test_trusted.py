"""Which commands are trusted, changed, unknown and gone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mcp_server.config import STATE_DIR
from mcp_server.doctor.project import check_definitions
from mcp_server.doctor.state import check_state
from mcp_server.doctor.subject import Subject
from mcp_server.doctor.trusted import check_trusted
from mcp_server.gates.commands import parse_commands
from mcp_server.gates.trust import TrustStore
from tests.builders import write_workflow
from tests.doctor.subjects import notes, problems, sound, subject

DEFINED = "test: {argv: [pytest, -q]}\n"


@pytest.fixture
def there(project, tmp_path) -> Subject:
    (project / ".praxis-os").mkdir()
    define(project, DEFINED)
    return subject(project, tmp_path)


def define(project: Path, text: str) -> None:
    (project / ".praxis-os" / "commands.yaml").write_text(text, encoding="utf-8")


def trust(there: Subject, text: str = DEFINED) -> None:
    store = TrustStore(there.trust_folder)
    for command in parse_commands(text).values():
        store.trust(there.folder, command, who="alex", when=datetime.now(UTC))


def test_a_project_without_commands_is_well(project, tmp_path):
    found = sound(list(check_trusted(subject(project, tmp_path))))
    assert found == ["gates of this project run no commands"]


def test_a_trusted_command_is_well(there):
    trust(there)
    assert sound(list(check_trusted(there))) == ["trusted: test"]


def test_a_command_that_nobody_trusts_is_worth_knowing(there):
    assert notes(check_trusted(there)) == [("not trusted: test", "aos-workflow trust")]
    assert problems(check_trusted(there)) == []


def test_a_command_that_changed_is_a_problem(there, project):
    trust(there)
    define(project, "test: {argv: [pytest, -qq]}\n")
    assert problems(check_trusted(there)) == [
        ("test has changed since it was trusted", "aos-workflow trust")
    ]


def test_a_command_that_is_gone_is_worth_knowing(there, project):
    trust(there)
    define(project, "{}\n")
    assert notes(check_trusted(there)) == [
        ("test is trusted, and nothing runs it any more", "aos-workflow trust --revoke test")
    ]


def test_decisions_that_are_not_believed_are_a_problem(there):
    trust(there)
    inside = there.folder / "trusted"
    there.trust_folder.rename(inside)
    lying = Subject(there.machine, there.root, there.settings, there.services, inside)
    ((what, _),) = problems(check_trusted(lying))
    assert what == f"{inside} is not believed: it lies inside the project"


def test_definitions_that_cannot_be_read_are_told_once(there, project):
    folder = project / ".praxis-os" / "workflows" / "broken_v1"
    folder.mkdir(parents=True)
    (folder / "metadata.json").write_text("{", encoding="utf-8")
    found = [one for check in (check_definitions, check_trusted) for one in check(there)]
    ((what, remedy),) = problems(found)
    assert what.startswith(".praxis-os/workflows/broken_v1/metadata.json:1: not JSON: ")
    assert remedy == "Mend the syntax at this place."


@pytest.mark.parametrize("place", [".praxis-os/state", ".praxis-os/state/workflows"])
def test_a_file_in_the_place_of_the_state_is_told_once(there, project, place):
    path = project / place
    path.parent.mkdir(exist_ok=True)
    path.write_text("", encoding="utf-8")
    found = [one for check in (check_state, check_trusted) for one in check(there)]
    assert problems(found) == [(f"{path} is no folder", "Move it away: sessions are kept there.")]


def test_a_session_whose_gates_cannot_be_read_is_a_problem(there, project):
    write_workflow(project / ".praxis-os" / "workflows")
    there.services.engine.start("small_v1", "src")
    (pinned,) = (project / STATE_DIR / "definitions").iterdir()
    pinned.write_bytes(b"{}")
    ((what, remedy),) = problems(check_trusted(there))
    assert what.startswith("Not read: ")
    assert remedy == "aos-workflow trust --list"
