"""How a command's end becomes an exit code and at most one line."""

import pytest
import typer

from mcp_server.cli.running import finish
from mcp_server.errors import ConfigurationError, InvalidArgumentError, NotFoundError, StateError
from tests.viewing.viewing_builders import EVIL, EVIL_SHOWN


def refusing(kind):
    def command():
        raise kind(f"no {EVIL}", remediation="Do this.\nThen that.")

    return command


@pytest.mark.parametrize("code", [0, 1, 2])
def test_the_code_of_a_command_is_that_of_the_process(code):
    with pytest.raises(typer.Exit) as ended:
        finish(lambda: code)
    assert ended.value.exit_code == code


@pytest.mark.parametrize(
    ("kind", "code"),
    [(NotFoundError, 2), (StateError, 1), (ConfigurationError, 2), (InvalidArgumentError, 2)],
)
def test_a_refusal_is_one_line_that_a_terminal_does_not_obey(capsys, kind, code):
    with pytest.raises(typer.Exit) as ended:
        finish(refusing(kind))
    assert ended.value.exit_code == code
    assert capsys.readouterr() == ("", f"aos-workflow: no {EVIL_SHOWN}. Do this.\\nThen that.\n")
