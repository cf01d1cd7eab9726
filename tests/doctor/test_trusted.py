"""Which commands are trusted, changed, unknown and gone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mcp_server.doctor.subject import Subject
from mcp_server.doctor.trusted import check_trusted
from mcp_server.gates.commands import parse_commands
from mcp_server.gates.trust import TrustStore
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


def test_definitions_that_cannot_be_read_are_a_problem(there, project):
    folder = project / ".praxis-os" / "workflows" / "broken_v1"
    folder.mkdir(parents=True)
    (folder / "metadata.json").write_text("{", encoding="utf-8")
    ((what, remedy),) = problems(check_trusted(there))
    assert what.startswith("Not read: ")
    assert remedy == "aos-workflow lint"
