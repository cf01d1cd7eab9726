"""What only some systems have is asked for before it is used."""

import ast
from pathlib import Path

import pytest

import mcp_server

PACKAGE = Path(mcp_server.__file__).parent
MODULES = sorted(
    path for path in PACKAGE.rglob("*.py") if not path.is_relative_to(PACKAGE / "workflows")
)

POSIX_MODULES = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"}

POSIX_NAMES = {
    "os": {
        "O_ASYNC", "O_CLOEXEC", "O_DIRECTORY", "O_DSYNC", "O_NOCTTY", "O_NOFOLLOW", "O_NONBLOCK",
        "O_SYNC", "WEXITED", "WNOHANG", "WNOWAIT", "chown", "ctermid", "fchdir", "fchmod",
        "fchown", "fdatasync", "fork", "forkpty", "getegid", "geteuid", "getgid", "getgroups",
        "getpgid", "getpgrp", "getpriority", "getsid", "getuid", "killpg", "lchown", "lockf",
        "mkfifo", "mknod", "nice", "openpty", "posix_fadvise", "posix_spawn", "pread", "preadv",
        "pwrite", "sched_getaffinity", "sched_yield", "sendfile", "setpgid", "setsid", "statvfs",
        "sync", "sysconf", "ttyname", "uname", "wait", "waitid", "P_PID",
    },
    "signal": {
        "SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP",
        "SIGTSTP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "alarm", "pause", "pthread_kill",
        "pthread_sigmask", "setitimer", "sigwait",
    },
    "asyncio": {"create_unix_connection", "create_unix_server", "open_unix_connection"},
    "time": {"clock_gettime", "tzset"},
}  # fmt: skip
"""What Windows lacks, and macOS some of."""

POSIX_METHODS = {"add_reader", "add_signal_handler", "add_writer", "connect_read_pipe",
                 "connect_write_pipe"}  # fmt: skip
"""Methods of event loops that the loop of Windows lacks, or has for other pipes than ours."""

GUARDS = ("sys.platform", "os.name", "hasattr(os", "supports_dir_fd", "_is_pipe(")


def unguarded(tree):
    """The uses of what some systems lack that stand under no question for the system."""
    found = []

    def walk(node, guarded):
        if isinstance(node, ast.If | ast.IfExp) and asks(node.test):
            guarded = True
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = (n for n in ast.walk(node) if isinstance(n, ast.If | ast.IfExp))
            guarded = guarded or any(asks(n.test) for n in inside)
        if not guarded and is_posix(node):
            found.append(ast.unparse(node))
        for child in ast.iter_child_nodes(node):
            walk(child, guarded)

    walk(tree, guarded=False)
    return found


def asks(test):
    return any(guard in ast.unparse(test) for guard in GUARDS)


def is_posix(node):
    if isinstance(node, ast.Import):
        return any(alias.name.split(".")[0] in POSIX_MODULES for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        names = POSIX_NAMES.get(node.module or "", set())
        return node.module in POSIX_MODULES or any(alias.name in names for alias in node.names)
    if not isinstance(node, ast.Attribute):
        return False
    owner = ast.unparse(node.value)
    return node.attr in POSIX_NAMES.get(owner, set()) or node.attr in POSIX_METHODS


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_what_only_some_systems_have_is_used_only_after_asking(path):
    assert unguarded(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "text",
    [
        "import fcntl",
        "from os import killpg",
        "os.fdatasync(1)",
        "def f():\n    signal.alarm(1)",
        "loop.add_signal_handler(15, end)",
    ],
)
def test_a_use_without_asking_is_found(text):
    assert len(unguarded(ast.parse(text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "if sys.platform != 'win32':\n    import fcntl",
        "getattr(os, 'fdatasync', os.fsync)(1)",
        "def f():\n    if os.name == 'nt':\n        return\n    os.getuid()",
        "os.open(path, os.O_RDONLY)",
    ],
)
def test_a_use_after_asking_is_not(text):
    assert unguarded(ast.parse(text)) == []
