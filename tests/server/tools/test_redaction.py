"""Foreign exceptions made safe: a stable type and one line without file paths."""

import pytest

from mcp_server.server.tools.redaction import sanitize_error


@pytest.mark.parametrize(
    ("error", "error_type"),
    [
        (ValueError("x"), "ValidationError"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "ValidationError"),
        (KeyError("x"), "NotFoundError"),
        (FileNotFoundError(2, "gone"), "NotFoundError"),
        (PermissionError(13, "denied"), "PermissionError"),
        (OSError(28, "No space left on device"), "RuntimeError"),
        (IndexError("x"), "RuntimeError"),
        (RuntimeError("x"), "RuntimeError"),
        (Exception("x"), "RuntimeError"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_kind_of_exception_has_its_type(error, error_type):
    assert sanitize_error(error)["error_type"] == error_type


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("simple", "simple"),
        ("first\nsecond", "first"),
        ("\n\n  first  \nsecond", "first"),
        ("cannot open /home/ann/key.pem", "cannot open <path>"),
        ("cannot open '/home/ann/my key.pem': denied", "cannot open <path>: denied"),
        ('in "C:\\Users\\ann\\key.pem" line 3', "in <path> line 3"),
        ("C:\\Users\\ann\\key.pem", "<path>"),
        ("~/secrets/key", "<path>"),
        ("../up/key.pem", "<path>"),
        ("(/etc/passwd)", "(<path>)"),
        ("a=/etc/passwd,b", "a=<path>,b"),
        ("file:///etc/passwd", "<path>"),
        ("src/app/main.py failed", "<path> failed"),
        ("use and/or, 1/2, n/a", "use and/or, 1/2, n/a"),
    ],
)
def test_the_message_is_its_first_line_without_paths(message, shown):
    assert sanitize_error(RuntimeError(message)) == {"error_type": "RuntimeError", "error": shown}


def test_a_key_error_shows_its_key_without_the_quotes_of_repr():
    assert sanitize_error(KeyError("session_id"))["error"] == "session_id"


def test_an_exception_without_a_message_shows_its_name():
    assert sanitize_error(RuntimeError())["error"] == "RuntimeError"


def test_a_system_error_hides_the_file_it_names():
    error = PermissionError(13, "Permission denied", "/srv/app/.praxis-os/state")
    assert sanitize_error(error)["error"] == "[Errno 13] Permission denied: <path>"
