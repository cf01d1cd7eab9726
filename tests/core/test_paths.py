"""Which paths an agent may name as its target."""

import pytest

from mcp_server.core.paths import MAX_TARGET, validate_target
from mcp_server.errors import InvalidArgumentError

ABSOLUTE = "directory traversal: target_file is an absolute path"
NOT_TEXT = "target_file must be the text of a relative path"
CONTROL = "target_file holds a control character"


def short(value):
    return ascii(value)[:40]


CLIMBS = "directory traversal: target_file has a part of dots only, such as '..'"
LEAVES = "directory traversal: target_file leads out of the project through a link"


@pytest.fixture
def root(tmp_path):
    """A project with links, beside folders that it must not reach."""
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "main.py").write_text("", encoding="utf-8")
    for outside in ("project-two", "secret"):
        (tmp_path / outside).mkdir()
        (tmp_path / outside / "file").write_text("", encoding="utf-8")
    links = {
        "inner": "src",
        "out": "../secret",
        "out_file": "../secret/file",
        "sibling": "../project-two",
        "dangling_out": "../secret/nothing",
        "rooted": "/",
        "loop": "loop",
        "src/up": "..",
        "src/up_two": "../..",
    }
    for name, goal in links.items():
        (folder / name).symlink_to(goal)
    return folder


CLIMBERS = [
    "..",
    "../secret/file",
    "src/../../secret/file",
    "src/../src/main.py",
    "src/..",
    "./..",
    "../project-two/file",
    "..\\secret\\file",
    "src\\..\\..\\secret",
    "src/..\\../secret",
    "...",
    ".../file",
    "src/.... /file",
    " ../file",
    "src/.. /file",
    ". ./file",
    ".. ./file",
    "%2e%2e/file",
    "%2E%2E%2Ffile",
    "..%2ffile",
    "..%5cfile",
    ".%2e/file",
    "%252e%252e%252ffile",
    "%25252e%25252e/file",
    "%2525252525252e./file",
    "\uff0e\uff0e/file",
    "\uff0e./file",
    "\u2024\u2024/file",
    "\u2025/file",
    "\u2026/file",
    "..\uff0ffile",
    "..\uff3cfile",
    "\uff052e\uff052e/file",
    "%EF%BC%8E%EF%BC%8E/file",
    "src/%e2%80%a5/file",
    "..\u00a0/file",
    "../" * 150 + "etc/passwd",
]

ABSOLUTES = [
    "/etc/passwd",
    "/",
    "//server/share",
    "\\\\server\\share",
    "\\\\?\\C:\\file",
    "\\file",
    "C:\\file",
    "c:/file",
    "C:file",
    "\uff23\uff1a\\file",
    "~",
    "~/file",
    "~\\file",
    "\uff5e/file",
    "file:///etc/passwd",
    "FILE:x",
    " /etc/passwd",
    "%2fetc%2fpasswd",
    "%252fetc/passwd",
    "\uff0fetc/passwd",
    "%5c%5cserver%5cshare",
    "C%3a/file",
]

CONTROLS = [
    "a\0b",
    "a\nb",
    "\ta",
    "a\r",
    "a\x1b[31m",
    "a\x7f",
    "a\x85",
    "a\ud800",
    "a%00.py",
    "a%250a",
]

EMPTY = ["", " ", "\n", "\u3000", None, 7, b"src/main.py", ["src/main.py"]]

OUTSIDE = [
    "out",
    "out/file",
    "out/new/deeper",
    "out_file",
    "dangling_out",
    "sibling/file",
    "rooted/etc/passwd",
    "src/up_two/secret/file",
    "inner/up_two",
    "loop",
    "loop/file",
]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        *((target, CLIMBS) for target in CLIMBERS),
        *((target, ABSOLUTE) for target in ABSOLUTES),
        *((target, CONTROL) for target in CONTROLS),
        *((target, NOT_TEXT) for target in EMPTY),
        *((target, LEAVES) for target in OUTSIDE),
        ("a" * 513, "target_file is too large: 513 characters, at most 512"),
        ("a/" * 50_000, "target_file is too large: 100000 characters, at most 512"),
    ],
    ids=short,
)
def test_an_attack_is_refused(root, target, message):
    with pytest.raises(InvalidArgumentError) as refusal:
        validate_target(root, target)
    assert refusal.value.message == message
    assert refusal.value.remediation == (
        "Pass a path relative to the project root and inside it, such as"
        ' target_file="src/example.py"; it need not exist.'
    )


@pytest.mark.parametrize("target", [str, lambda root: f"{root}-two/file"], ids=["root", "sibling"])
def test_an_absolute_path_is_refused_even_into_the_project(root, target):
    with pytest.raises(InvalidArgumentError) as refusal:
        validate_target(root, target(root))
    assert refusal.value.message == ABSOLUTE


@pytest.mark.parametrize(
    "target",
    [
        "src/main.py",
        "src/not/yet/there.py",
        "./src/main.py",
        "src//main.py",
        "src/package/",
        "foo..bar.py",
        "..foo",
        "foo..",
        "src/..foo/..bar",
        ".hidden",
        ".github/workflows/ci.yml",
        "with space.txt",
        " leading space.txt",
        "caf\u00e9/\u6587\u4ef6.md",
        "cafe\u0301.md",
        "\U0001f600.py",
        "\u2026and so on.md",
        "wait\u2026",
        "100%.txt",
        "50%25.txt",
        "src%2fmain.py",
        "[id]/page (1).tsx",
        "~file",
        "ab:c",
        "files/x",
        "project-two",
        "inner/main.py",
        "inner/new.py",
        "src/up",
        "src/up/src/main.py",
        "a" * MAX_TARGET,
    ],
    ids=short,
)
def test_a_path_inside_the_project_is_accepted(root, target):
    assert validate_target(root, target) is True


def test_a_root_that_is_itself_behind_a_link_holds_its_files(root, tmp_path):
    (tmp_path / "alias").symlink_to(root)
    assert validate_target(tmp_path / "alias", "src/main.py") is True


def test_a_path_that_the_system_cannot_resolve_is_refused(root):
    with pytest.raises(InvalidArgumentError) as refusal:
        validate_target(root, "loop/" + "a" * 20)
    assert refusal.value.message == LEAVES
